import { randomUUID } from 'node:crypto';
import { afterAll, expect, test, vi } from 'vitest';
import { sleep, systemClock } from '#common/clock.ts';
import { topicName } from '#common/contracts/topics.ts';
import { voteRecordKey } from '#common/contracts/vote-submitted.ts';
import { createProducer } from '#common/kafka.ts';
import { createLog } from '#common/log.ts';
import { createRegistry } from '#common/metrics.ts';
import { regionNo } from '#common/region-no.ts';
import { LogCounter } from '../../../../regional-core/records/log-counter/log-counter.ts';
import { createRecordsMetrics } from '../../../../regional-core/records/metrics.ts';
import { addLogCounts } from '../../../../regional-core/records/sql/add-log-counts.ts';
import {
  OtherLogError,
  readLogOffsets,
} from '../../../../regional-core/records/sql/read-log-offsets.ts';
import { skipLostRecords } from '../../../../regional-core/records/sql/skip-lost-records.ts';
import { createTestDatabase } from '../../../support/database.ts';
import { createTestTopics } from '../../../support/topics.ts';

// Taking over takes seconds by design.
vi.setConfig({ testTimeout: 60_000 });

const database = await createTestDatabase();
const { prefix, brokers } = await createTestTopics();
const topic = topicName(prefix, 'vote-submitted');
const log = createLog({ service: 'records' }, 'error');
const rim = { clock: systemClock, random: Math.random };
const source = { clusterId: 'a cluster', topicId: randomUUID() };
const pool = database.pool('records', 8);
const producer = createProducer({ brokers, clientId: 'test' });
afterAll(async () => {
  await producer.close();
});

function startCounter(name: string): LogCounter {
  const metrics = createRecordsMetrics(createRegistry({}));
  return new LogCounter({ ...rim, pool, brokers, topic, name, log, metrics });
}

async function send(sessionId: string, partition: number, records: number): Promise<void> {
  const key = voteRecordKey(sessionId);
  const message = { topic, partition, key, value: Buffer.alloc(125) };
  await producer.send({ messages: Array.from({ length: records }, () => message), acks: -1 });
}

async function accepted(region: string, sessionId: string): Promise<number> {
  const { rows } = await pool.query<{ accepted: number }>(
    `SELECT coalesce(sum(accepted), 0)::bigint AS accepted
     FROM votes.log_session_counts JOIN votes.regions USING (region_no)
     WHERE region = $1 AND session_id = $2`,
    [region, sessionId],
  );
  return rows[0]!.accepted;
}

async function eventually(read: () => Promise<number>, expected: number): Promise<void> {
  const deadlineMs = performance.now() + 40_000;
  while ((await read()) !== expected && performance.now() < deadlineMs) await sleep(50);
  expect(await read()).toBe(expected);
}

test('counts a log per session, and goes on after it was ended where it stopped', async () => {
  const [first, second] = [randomUUID(), randomUUID()];
  await send(first, 0, 120);
  await send(first, 7, 30);
  await send(second, 7, 5);
  const one = startCounter('ending');
  await eventually(() => accepted('ending', first), 150);
  await one.close();
  await send(first, 3, 10);
  const next = startCounter('ending');
  await eventually(() => accepted('ending', first), 160);
  await next.close();
  expect(await accepted('ending', second)).toBe(5);
});

test('three processes that count one log at once count each record once', async () => {
  const session = randomUUID();
  const counters = [startCounter('shared'), startCounter('shared'), startCounter('shared')];
  let sent = 0;
  for (let round = 0; round < 30; round++) {
    const records = 1 + (round % 7) * 20;
    await send(session, round % 30, records);
    sent += records;
    await sleep(100);
  }
  await eventually(() => accepted('shared', session), sent);
  await Promise.all(counters.map((counter) => counter.close()));
  expect(await accepted('shared', session)).toBe(sent);
});

test('when the one that counts is gone, another takes over', async () => {
  const session = randomUUID();
  const counters = [startCounter('heir'), startCounter('heir')];
  await send(session, 1, 10);
  await eventually(() => accepted('heir', session), 10);
  await counters[0]!.close();
  await send(session, 1, 10);
  await eventually(() => accepted('heir', session), 20);
  await counters[1]!.close();
});

test('counts are added only where the counting began, whoever comes second', async () => {
  const session = randomUUID();
  const no = await regionNo(pool, 'fence');
  await readLogOffsets(pool, no, source, [0, 0]);
  const count = (partition: number, from: number, next: number) => ({
    partition,
    from,
    next,
    sessions: new Map([[session, { accepted: next - from, control: 0 }]]),
  });
  expect(await addLogCounts(pool, no, [count(0, 0, 10)])).toEqual(new Set([0]));
  // The same records read by another process: one partition is behind us, one is not.
  expect(await addLogCounts(pool, no, [count(0, 0, 8), count(1, 0, 8)])).toEqual(new Set([1]));
  expect(await readLogOffsets(pool, no, source, [0, 0])).toEqual(
    new Map([
      [0, 10],
      [1, 8],
    ]),
  );
  expect(await accepted('fence', session)).toBe(18);
});

test('the same counts sent by many at once are added once', async () => {
  const session = randomUUID();
  const no = await regionNo(pool, 'race');
  await readLogOffsets(pool, no, source, [0]);
  const counts = [
    { partition: 0, from: 0, next: 6, sessions: new Map([[session, { accepted: 6, control: 0 }]]) },
  ];
  const moved = await Promise.all(Array.from({ length: 8 }, () => addLogCounts(pool, no, counts)));
  expect(moved.filter(({ size }) => size === 1)).toHaveLength(1);
  expect(await accepted('race', session)).toBe(6);
});

test('records that left the log are gone past once, and only from where they begin', async () => {
  const no = await regionNo(pool, 'lost');
  await readLogOffsets(pool, no, source, [0]);
  expect(await skipLostRecords(pool, no, { partition: 0, from: 5, next: 9 })).toBe(false);
  expect(await skipLostRecords(pool, no, { partition: 0, from: 0, next: 9 })).toBe(true);
  expect(await skipLostRecords(pool, no, { partition: 0, from: 0, next: 9 })).toBe(false);
  expect(await readLogOffsets(pool, no, source, [0])).toEqual(new Map([[0, 9]]));
});

test('a log of another cluster or topic is not counted on', async () => {
  const no = await regionNo(pool, 'replaced');
  await readLogOffsets(pool, no, source, [0, 0]);
  for (const other of [{ topicId: randomUUID() }, { clusterId: 'another cluster' }]) {
    await expect(readLogOffsets(pool, no, { ...source, ...other }, [0, 0])).rejects.toThrow(
      OtherLogError,
    );
  }
  const metrics = createRecordsMetrics(createRegistry({}));
  const said: string[] = [];
  const counter = new LogCounter({
    pool,
    brokers,
    topic,
    name: 'replaced',
    log: { ...log, error: (_: object, text: string) => said.push(text) } as never,
    metrics,
    ...rim,
  });
  await vi.waitFor(() => expect(said).toEqual(['the log cannot be counted now']), 10_000);
  await counter.close();
});

test('offsets of before are taken for those of the log that is there', async () => {
  const no = await regionNo(pool, 'before');
  await pool.query(
    'INSERT INTO votes.log_counts (region_no, partition, next_offset) VALUES ($1, 0, 7)',
    [no],
  );
  expect(await readLogOffsets(pool, no, source, [0])).toEqual(new Map([[0, 7]]));
  const other = { ...source, topicId: randomUUID() };
  await expect(readLogOffsets(pool, no, other, [0])).rejects.toThrow(OtherLogError);
});

test('copies are counted from when their region is lost, and its own log no longer', async () => {
  const session = randomUUID();
  const superuser = database.pool('postgres', 1);
  const gone = await regionNo(pool, 'gone');
  await superuser.query('INSERT INTO votes.regions (region, stands_for) VALUES ($1, $2)', [
    'gone@here',
    gone,
  ]);
  const copies = topicName(prefix, 'vote-standby');
  const message = { topic: copies, partition: 2, key: voteRecordKey(session) };
  const value = Buffer.alloc(125);
  await producer.send({
    messages: [
      { ...message, value },
      { ...message, value },
    ],
    acks: -1,
  });
  const metrics = createRecordsMetrics(createRegistry({}));
  const counter = new LogCounter({
    pool,
    brokers,
    topic: copies,
    name: 'gone@here',
    log,
    metrics,
    ...rim,
  });
  await sleep(2000);
  expect(await accepted('gone@here', session)).toBe(0);
  await superuser.query('UPDATE votes.regions SET lost_at = now() WHERE region_no = $1', [gone]);
  await eventually(() => accepted('gone@here', session), 2);
  await counter.close();

  const own = startCounter('gone');
  await send(session, 2, 3);
  await sleep(3000);
  await own.close();
  expect(await accepted('gone', session)).toBe(0);
});
