import { randomUUID } from 'node:crypto';
import { Registry } from 'prom-client';
import { afterAll, expect, test, vi } from 'vitest';
import { sleep, systemClock } from '#common/clock.ts';
import { topicName } from '#common/contracts/topics.ts';
import { createProducer } from '#common/kafka.ts';
import { createLog } from '#common/log.ts';
import { LogReader } from '#common/log-reader.ts';
import { type Pool } from '#common/postgres.ts';
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

const log = createLog({ service: 'test' }, 'error');
const database = await createTestDatabase();
const { prefix, brokers } = await createTestTopics();
const topic = topicName(prefix, 'vote-submitted');
const ledger = database.pool('ledger', 6);
const admin = database.pool('postgres');
const producer = createProducer({ brokers, clientId: 'test' });
afterAll(async () => {
  await producer.close();
});

const key = createSigningKey();
const region = await regionNo(ledger, 'us-east-1');
const session = await createSession(admin);

async function send(partition: number, count: number): Promise<void> {
  const messages = Array.from({ length: count }, () => ({
    topic,
    partition,
    ...createRecord(key, createBallot(session.sessionId), 0),
  }));
  await producer.send({ messages });
}

/** A worker on the run's Kafka and Postgres; `pool` may be one that loses things. */
async function startWorker(pool: Pool) {
  const reader = new LogReader({ brokers, clientId: 'test', topic, log, maxWaitMs: 50 });
  const { clusterId, topicId, partitions } = await reader.layout();
  const ending = new AbortController();
  const metrics = new Registry();
  const worker = new LedgerWorker({
    store: createPostgresLedgerStore(pool),
    source: reader,
    checkBallots: () => Promise.resolve([]),
    checkControls: () => Promise.resolve([]),
    clock: systemClock,
    log,
    metrics: createLedgerMetrics(metrics)('us-east-1'),
    workerId: randomUUID(),
    identify: () => Promise.resolve({ regionNo: region, clusterId, topicId }),
    layout: () => layoutOf(partitions.length),
    epochSeen: () => 0,
  });
  const running = worker.run(ending.signal);
  return {
    worker,
    fenced: async () =>
      (await metrics.getSingleMetric('ledger_fenced_total')!.get()).values[0]?.value ?? 0,
    stop: async () => {
      ending.abort();
      await running;
      await reader.close();
    },
  };
}

async function counted(): Promise<number> {
  const { rows } = await admin.query('SELECT count(*) AS votes FROM votes.votes');
  return (rows as { votes: number }[])[0]!.votes;
}

async function untilCounted(count: number): Promise<void> {
  const deadline = performance.now() + 15_000;
  while ((await counted()) < count) {
    if (performance.now() > deadline) throw new Error(`only ${await counted()} of ${count}`);
    await sleep(20);
  }
}

/** Rows, tallies and verdicts agree, and every partition is read to its end. */
async function recount(): Promise<void> {
  const { rows } = await admin.query(`
    SELECT (SELECT count(*) FROM votes.votes) AS rows,
      (SELECT sum(votes)::bigint FROM votes.tallies) AS tallies,
      (SELECT sum(counted)::bigint FROM votes.verdicts) AS counted,
      (SELECT sum(next_offset)::bigint FROM votes.offsets) AS offsets,
      (SELECT sum(counted + duplicate + replayed + late + quarantined)::bigint
        FROM votes.verdicts) AS verdicts`);
  const sums = (rows as Record<string, number>[])[0]!;
  expect(sums['tallies']).toBe(sums['rows']);
  expect(sums['counted']).toBe(sums['rows']);
  expect(sums['verdicts']).toBe(sums['offsets']);
}

let total = 0;

test('counts what lies in the log, and what comes while it works', async () => {
  await send(0, 100);
  const { worker, stop } = await startWorker(ledger);
  await untilCounted((total += 100));
  expect(worker.trouble).toBeUndefined();
  await Promise.all([send(1, 50), send(29, 50)]);
  await untilCounted((total += 100));
  await stop();
  await recount();
});

test('a worker killed before the call, or after it without an answer, costs nothing', async () => {
  for (const moment of ['before', 'after'] as const) {
    await send(2, 40);
    const pool = losing(ledger, moment);
    const { stop } = await startWorker(pool);
    await untilCounted((total += 40));
    await stop();
    expect(pool.lost).toBe(1);
    await recount();
  }
});

test('two workers at once share the log, and each record is counted once', async () => {
  const [one, two] = [await startWorker(ledger), await startWorker(ledger)];
  for (let round = 0; round < 10; round++) {
    await Promise.all([send(round, 30), send(29 - round, 30)]);
  }
  await untilCounted((total += 600));
  await one.stop();
  await send(3, 25);
  await untilCounted((total += 25));
  await two.stop();
  await recount();
});

test('two workers that both believe to hold a partition: the fence lets one count', async () => {
  const greedy = ignoringLeases(ledger);
  const [one, two] = [await startWorker(greedy), await startWorker(greedy)];
  await Promise.all([untilCounting(one.worker), untilCounting(two.worker)]);
  const offset = await lockOffset(4);
  await send(4, 30);
  // Both have read the same records and sent them: whoever is second meets the fence.
  await untilWaiting(2);
  await offset.release();
  for (let round = 0; round < 10; round++) await send(4, 30);
  await untilCounted((total += 330));
  await Promise.all([one.stop(), two.stop()]);
  expect((await one.fenced()) + (await two.fenced())).toBeGreaterThan(0);
  await recount();
  expect(await counted()).toBe(total);
});

test('Postgres away while a batch is under way: goes on where the offsets are', async () => {
  const { worker, stop, fenced } = await startWorker(ledger);
  await untilCounting(worker);
  const offset = await lockOffset(5);
  await send(5, 60);
  const pids = await untilWaiting(1);
  await admin.query('SELECT pg_terminate_backend(pid) FROM unnest($1::integer[]) AS pid', [pids]);
  // The same records again, over a connection of its own.
  await vi.waitFor(async () => expect(await untilWaiting(1)).not.toEqual(pids), 5000);
  expect(await counted()).toBe(total);
  await offset.release();
  await untilCounted((total += 60));
  await stop();
  expect(worker.trouble).toBeUndefined();
  // The batch was rolled back with its connection, so that nobody had counted it.
  expect(await fenced()).toBe(0);
  await recount();
});

test('every connection lost between two batches: the next one goes through', async () => {
  const { worker, stop } = await startWorker(ledger);
  await untilCounting(worker);
  await admin.query(
    // Of this file's database alone: other files' ledgers work on the same server.
    `SELECT pg_terminate_backend(pid) FROM pg_stat_activity
     WHERE usename = 'ledger' AND datname = current_database()`,
  );
  await send(6, 60);
  await untilCounted((total += 60));
  await stop();
  expect(worker.trouble).toBeUndefined();
  await recount();
});

test('a database that lost its last commits gets them again, although nothing new comes', async () => {
  const { stop } = await startWorker(ledger);
  await send(7, 40);
  await untilCounted((total += 40));
  // What a fail-over to a copy that lies behind looks like: all of it falls back together.
  await admin.query(`
    WITH lost AS (
      DELETE FROM votes.votes WHERE partition = 7 AND "offset" >= 20 RETURNING option_no
    ), tally AS (
      UPDATE votes.tallies SET votes = votes - (SELECT count(*) FROM lost) WHERE partition = 7
    ), verdict AS (
      UPDATE votes.verdicts SET counted = counted - (SELECT count(*) FROM lost) WHERE partition = 7
    )
    UPDATE votes.offsets SET next_offset = 20 WHERE partition = 7`);
  await untilCounted(total);
  await stop();
  await recount();
});

async function untilCounting(worker: LedgerWorker): Promise<void> {
  await vi.waitFor(() => expect(worker.trouble).toBeUndefined(), 15_000);
}

/** Holds a partition's offset, so that each batch with records of it waits inside the call. */
async function lockOffset(partition: number): Promise<{ release: () => Promise<void> }> {
  const holder = await admin.connect();
  await holder.query('BEGIN');
  const { rowCount } = await holder.query(
    'SELECT FROM votes.offsets WHERE region_no = $1 AND partition = $2 FOR UPDATE',
    [region, partition],
  );
  expect(rowCount).toBe(1);
  return {
    release: async () => {
      await holder.query('ROLLBACK');
      holder.release();
    },
  };
}

/** Resolves with the backends in which a batch waits for the lock, once there are so many. */
function untilWaiting(batches: number): Promise<number[]> {
  return vi.waitFor(
    async () => {
      const { rows } = await admin.query<{ pid: number }>(
        `SELECT pid FROM pg_stat_activity
         WHERE datname = current_database() AND wait_event_type = 'Lock'
           AND query LIKE '%votes.count_batch(%'`,
      );
      expect(rows).toHaveLength(batches);
      return rows.map(({ pid }) => pid);
    },
    { timeout: 4000, interval: 5 },
  );
}

/** Loses one count_batch: never sent, or committed with its answer lost. */
function losing(pool: Pool, moment: 'before' | 'after'): Pool & { lost: number } {
  const proxy = Object.create(pool) as Pool & { lost: number };
  proxy.lost = 0;
  const query = pool.query.bind(pool) as (config: { name?: string }) => Promise<unknown>;
  proxy.query = (async (config: { name?: string }, values?: unknown[]) => {
    if (config.name !== 'count_batch' || proxy.lost > 0) {
      return (query as (c: unknown, v?: unknown) => Promise<unknown>)(config, values);
    }
    proxy.lost++;
    if (moment === 'after') await query(config);
    throw new Error('Connection terminated unexpectedly');
  }) as Pool['query'];
  return proxy;
}

/** Gives every caller every partition, as after a pause longer than a lease. */
function ignoringLeases(pool: Pool): Pool {
  const proxy = Object.create(pool) as Pool;
  proxy.query = ((config: { name?: string }, values?: unknown[]) => {
    const query = pool.query.bind(pool) as (c: unknown, v?: unknown) => Promise<unknown>;
    if (config.name !== 'lease_partitions') return query(config, values);
    return query(
      'SELECT 1 AS epoch, partition, next_offset FROM votes.offsets WHERE region_no = $1',
      [region],
    );
  }) as Pool['query'];
  return proxy;
}
