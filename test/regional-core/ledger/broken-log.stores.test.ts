import { randomUUID } from 'node:crypto';
import { afterAll, expect, test, vi } from 'vitest';
import { systemClock } from '#common/clock.ts';
import { topicName } from '#common/contracts/topics.ts';
import { createAdmin, createProducer, readTopicLayout } from '#common/kafka.ts';
import { createLog } from '#common/log.ts';
import { LogReader } from '#common/log-reader.ts';
import { createRegistry } from '#common/metrics.ts';
import { createPool } from '#common/postgres.ts';
import { regionNo } from '#common/region-no.ts';
import { createLedgerMetrics } from '../../../regional-core/ledger/metrics.ts';
import { createPostgresLedgerStore } from '../../../regional-core/ledger/postgres-ledger-store.ts';
import { LedgerWorker } from '../../../regional-core/ledger/worker.ts';
import { createTestDatabase } from '../../support/database.ts';
import { createTestTopics } from '../../support/topics.ts';
import {
  createBallot,
  createRecord,
  createSession,
  createSigningKey,
} from '../../support/votes.ts';
import { layoutOf } from './log-of-votes.ts';

const quiet = createLog({ service: 'test' }, 'fatal' as 'error');
const database = await createTestDatabase();
const { prefix, brokers } = await createTestTopics();
const topic = topicName(prefix, 'vote-submitted');
const pool = (role: 'ledger' | 'postgres') =>
  createPool({ url: database.url(role), applicationName: 'test', connectionsMax: 3, log: quiet });
const [ledger, admin] = [pool('ledger'), pool('postgres')];
const producer = createProducer({ brokers, clientId: 'test' });
const cluster = createAdmin({ brokers, clientId: 'test' });
afterAll(() => Promise.all([producer.close(), cluster.close(), ledger.end(), admin.end()]));

const key = createSigningKey();
const session = await createSession(admin);
let total = 0;

async function send(partition: number, count: number): Promise<void> {
  const messages = Array.from({ length: count }, () => ({
    topic,
    partition,
    ...createRecord(key, createBallot(session.sessionId), 0),
  }));
  await producer.send({ messages });
}

async function startWorker(region = 'us-east-1') {
  const source = new LogReader({ brokers, clientId: 'test', topic, log: quiet, maxWaitMs: 50 });
  const { clusterId, topicId, partitions } = await source.layout();
  let size = partitions.length;
  const ending = new AbortController();
  const worker = new LedgerWorker({
    store: createPostgresLedgerStore(ledger),
    source,
    checkBallots: () => Promise.resolve([]),
    checkControls: () => Promise.resolve([]),
    clock: systemClock,
    log: quiet,
    metrics: createLedgerMetrics(createRegistry({}))(region),
    workerId: randomUUID(),
    identify: async () => ({ regionNo: await regionNo(ledger, region), clusterId, topicId }),
    layout: () => layoutOf(size),
    epochSeen: () => 0,
  });
  const running = worker.run(ending.signal);
  return {
    worker,
    running,
    grow: (to: number) => {
      size = to;
    },
    stop: async () => {
      ending.abort();
      await running.catch(() => undefined);
      await source.close();
    },
  };
}

async function counted(): Promise<number> {
  const { rows } = await admin.query<{ votes: number }>(
    'SELECT count(*) AS votes FROM votes.votes',
  );
  return rows[0]!.votes;
}

async function untilCounted(count: number): Promise<void> {
  await vi.waitFor(async () => expect(await counted()).toBe(count), {
    timeout: 15_000,
    interval: 20,
  });
}

test('records gone before they were read stop their partition alone, and nothing is skipped', async () => {
  await Promise.all([send(0, 20), send(1, 20)]);
  await cluster.deleteRecords({
    topics: [{ name: topic, partitions: [{ partition: 0, offset: 5n }] }],
  });
  const { worker, stop } = await startWorker();
  await vi.waitFor(
    () => expect(worker.trouble).toBe('partition 0 is stopped: partition 0 has no offset 0'),
    15_000,
  );
  await untilCounted((total += 20));
  await send(2, 10);
  await untilCounted((total += 10));
  expect(worker.held()).not.toContain(0);
  await stop();
  await admin.query(`UPDATE votes.offsets SET next_offset = 5 WHERE partition = 0`);
});

test('a log that ends before what was counted stops its partition until it is there again', async () => {
  const { rows } = await admin.query<{ next_offset: number }>(
    'UPDATE votes.offsets SET next_offset = next_offset + 100 WHERE partition = 1 RETURNING next_offset',
  );
  const { worker, stop } = await startWorker();
  await vi.waitFor(
    () =>
      expect(worker.trouble).toBe(
        `partition 1 is stopped: partition 1 has no offset ${rows[0]!.next_offset}`,
      ),
    15_000,
  );
  // Partition 0 goes on where people have said that it goes on.
  await untilCounted((total += 15));
  await stop();
  await admin.query('UPDATE votes.offsets SET next_offset = next_offset - 100 WHERE partition = 1');
});

test('partitions that are added are found, leased and counted', async () => {
  const { worker, grow, stop } = await startWorker();
  await vi.waitFor(() => expect(worker.held()).toHaveLength(30), 15_000);
  await cluster.createPartitions({ topics: [{ name: topic, count: 32, assignments: null }] });
  await vi.waitFor(
    async () => {
      const { partitions } = await readTopicLayout(producer, topic);
      expect(partitions.filter(({ leader }) => leader >= 0)).toHaveLength(32);
    },
    { timeout: 10_000 },
  );
  grow(32);
  await send(31, 12);
  await untilCounted((total += 12));
  expect(worker.held()).toContain(31);
  await stop();
});

test('a topic that was made again is never read with the old offsets', async () => {
  const { worker, running, stop } = await startWorker();
  const ended = expect(running).rejects.toThrow('the log was topic');
  await vi.waitFor(() => expect(worker.held()).toHaveLength(32), 15_000);
  await cluster.deleteTopics({ topics: [topic] });
  await vi.waitFor(() => cluster.createTopics({ topics: [topic], partitions: 30, replicas: 1 }), {
    timeout: 10_000,
    interval: 200,
  });
  await ended;
  await stop();
  const next = await startWorker();
  await vi.waitFor(
    () => expect(next.worker.trouble).toMatch(/offsets of partition \d+ belong to/),
    15_000,
  );
  await next.stop();
  expect(await counted()).toBe(total);
});
