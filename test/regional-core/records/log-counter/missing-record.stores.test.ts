import { afterAll, expect, test, vi } from 'vitest';
import { sleep, systemClock } from '#common/clock.ts';
import { topicName } from '#common/contracts/topics.ts';
import { voteRecordKey } from '#common/contracts/vote-submitted.ts';
import { createAdmin, createProducer, readTopicLayout } from '#common/kafka.ts';
import { createLog } from '#common/log.ts';
import { createRegistry } from '#common/metrics.ts';
import { measureBalances } from '../../../../regional-core/records/balance/gauges.ts';
import { LogCounter } from '../../../../regional-core/records/log-counter/log-counter.ts';
import { createRecordsMetrics } from '../../../../regional-core/records/metrics.ts';
import { createTestDatabase } from '../../../support/database.ts';
import { createTestTopics } from '../../../support/topics.ts';
import { createSession } from '../../../support/votes.ts';

vi.setConfig({ testTimeout: 120_000 });

const database = await createTestDatabase();
const { prefix, brokers } = await createTestTopics();
const topic = topicName(prefix, 'vote-submitted');
const log = createLog({ service: 'records' }, 'error');
const pool = database.pool('records', 4);
const superuser = database.pool('postgres');
const producer = createProducer({ brokers, clientId: 'test' });
const admin = createAdmin({ brokers, clientId: 'test' });
afterAll(async () => {
  await producer.close();
  await admin.close();
});

const partition = 4;
const session = await createSession(superuser);
const { clusterId, topicId } = await readTopicLayout(admin, topic);
await superuser.query(
  `INSERT INTO votes.offsets (region_no, partition, cluster_id, topic_id)
   SELECT votes.region_no('us-east-1'), partition, $1, $2 FROM generate_series(0, 29) AS partition`,
  [clusterId, topicId],
);

/** What the ledger would write: it has read `read` records more, and judged `judged` of them. */
async function judge(read: number, judged: number): Promise<void> {
  await superuser.query(
    `WITH moved AS (
       UPDATE votes.offsets SET next_offset = next_offset + $2
       WHERE partition = $1 RETURNING region_no, next_offset
     )
     INSERT INTO votes.verdicts AS held (session_no, region_no, partition, counted, next_offset)
     SELECT $4, region_no, $1, $3, next_offset FROM moved
     ON CONFLICT (session_no, region_no, partition)
     DO UPDATE SET counted = held.counted + excluded.counted`,
    [partition, read, judged, session.sessionNo],
  );
}

test('a record that goes missing under load is told within a minute', async () => {
  const errors: string[] = [];
  const metrics = createRecordsMetrics(createRegistry({}));
  const spied = { ...log, error: (_: object, text: string) => errors.push(text) } as never;
  const shared = { pool, clock: systemClock, log: spied, metrics };
  const counter = new LogCounter({
    ...shared,
    brokers,
    topic,
    name: 'us-east-1',
    random: Math.random,
  });
  const ending = new AbortController();
  const measuring = measureBalances(shared, ending.signal);
  const key = voteRecordKey(session.sessionId);
  const off = async () => (await metrics.balanceOff.get()).values.map(({ value }) => value);

  // Ten records always lie between the ledger and the log's end: the readers never meet.
  let isMissing = false;
  let lost = 0;
  const load = (async () => {
    const message = { topic, partition, key, value: Buffer.alloc(125) };
    await producer.send({ messages: Array.from({ length: 10 }, () => message), acks: -1 });
    while (!ending.signal.aborted) {
      await producer.send({ messages: Array.from({ length: 20 }, () => message), acks: -1 });
      // Taken before the wait: set during it, it would be forgotten.
      const missing = isMissing ? 1 : 0;
      isMissing = false;
      lost += missing;
      await judge(20, 20 - missing);
      await sleep(50);
    }
  })();
  await sleep(15_000);
  expect([errors, await off()]).toEqual([[], [0]]);
  isMissing = true;
  const startedMs = performance.now();
  while ((await off())[0] === 0 && performance.now() - startedMs < 60_000) await sleep(100);
  const tookS = (performance.now() - startedMs) / 1000;
  expect(await off()).toEqual([1]);
  await vi.waitFor(() =>
    expect(errors).toContain('the balance is off: records and verdicts differ'),
  );
  expect(tookS).toBeLessThan(60);
  ending.abort();
  await Promise.all([load, measuring, counter.close()]);
  expect(lost).toBe(1);
});
