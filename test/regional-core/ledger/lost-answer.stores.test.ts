import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { afterAll, expect, test, vi } from 'vitest';
import { sleep, systemClock } from '#common/clock.ts';
import { createLog } from '#common/log.ts';
import { createRegistry } from '#common/metrics.ts';
import { createPool, leaveServer, type Pool } from '#common/postgres.ts';
import { regionNo } from '#common/region-no.ts';
import { createLedgerMetrics } from '../../../regional-core/ledger/metrics.ts';
import { createPostgresLedgerStore } from '../../../regional-core/ledger/postgres-ledger-store.ts';
import { LedgerWorker } from '../../../regional-core/ledger/worker.ts';
import { type Backlog, BacklogSource, makeBacklog } from '../../bench/backlog.ts';
import { createTestDatabase } from '../../support/database.ts';
import { createSession } from '../../support/votes.ts';
import { differences, layoutOf } from './log-of-votes.ts';

const database = await createTestDatabase();
const admin = database.pool('postgres');
const partitions = 3;
const closers: (() => Promise<unknown>)[] = [];
afterAll(async () => {
  for (const close of closers.toReversed()) await close();
});

/** A way to Postgres that swallows answers: armed, it cuts when the call's answer comes back. */
async function createSwallower(call: string) {
  const { hostname, port } = new URL(database.url('ledger'));
  const state = { armed: 0, swallowed: 0 };
  const sockets = new Set<Socket>();
  const server = createServer((client) => {
    const store = connect(Number(port), hostname);
    let isAsked = false;
    for (const socket of [client, store]) {
      sockets.add(socket);
      socket.on('error', () => undefined);
      socket.on('close', () => {
        sockets.delete(socket);
        client.destroy();
        store.destroy();
      });
    }
    client.on('data', (chunk) => {
      isAsked ||= state.armed > 0 && chunk.includes(call);
      store.write(chunk);
    });
    store.on('data', (chunk) => {
      if (!isAsked) return client.write(chunk);
      // The server answers after its commit: this is an answer lost, not a call.
      state.armed--;
      state.swallowed++;
      return client.destroy();
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  closers.push(async () => {
    for (const socket of sockets) socket.destroy();
    server.close();
    await once(server, 'close');
  });
  const url = new URL(database.url('ledger'));
  url.port = String((server.address() as AddressInfo).port);
  return { state, url: url.href };
}

async function startWorker(url: string, name: string, backlog: Backlog, epochSeen = () => 0) {
  const pool = createPool({
    url,
    applicationName: 'test',
    connectionsMax: 2,
    log: createLog({ service: 'test' }, 'fatal' as 'error'),
  });
  const ending = new AbortController();
  const number = await regionNo(admin, name);
  const identity = { regionNo: number, clusterId: 'cluster', topicId: randomUUID() };
  const worker = new LedgerWorker({
    store: createPostgresLedgerStore(pool),
    source: new BacklogSource(backlog, () => true),
    checkBallots: () => Promise.resolve([]),
    checkControls: () => Promise.resolve([]),
    clock: systemClock,
    log: createLog({ service: 'test' }, 'fatal' as 'error'),
    metrics: createLedgerMetrics(createRegistry({}))(name),
    workerId: randomUUID(),
    identify: () => Promise.resolve(identity),
    layout: () => layoutOf(partitions),
    epochSeen,
  });
  const running = worker.run(ending.signal);
  closers.push(async () => {
    ending.abort();
    await running;
    await pool.end();
  });
  return { worker, pool };
}

async function untilCounted(sessionNo: number, votes: number): Promise<void> {
  await vi.waitFor(
    async () => {
      const { rows } = await admin.query<{ votes: number }>(
        'SELECT count(*) AS votes FROM votes.votes WHERE session_no = $1',
        [sessionNo],
      );
      expect(rows[0]!.votes).toBe(votes);
    },
    { timeout: 15_000, interval: 20 },
  );
}

test('a commit whose answer is lost is found in the offsets, time after time', async () => {
  const session = await createSession(admin);
  const swallower = await createSwallower('count_batch');
  swallower.state.armed = 5;
  const backlog = makeBacklog(session.sessionId, 30_000, partitions, false);
  await startWorker(swallower.url, 'lost-answer', backlog);
  await untilCounted(session.sessionNo, 30_000);
  expect(swallower.state.swallowed).toBe(5);
  expect(await differences(admin)).toEqual([]);
});

test('an old writer is left, and nothing is counted in it until it is no longer one', async () => {
  const session = await createSession(admin);
  const backlog = makeBacklog(session.sessionId, 300, partitions, false);
  const { worker } = await startWorker(database.url('ledger'), 'old-writer', backlog, () => 2);
  await vi.waitFor(() => expect(worker.trouble).toContain('an old writer: '));
  await sleep(300);
  await untilCounted(session.sessionNo, 0);
  await admin.query('UPDATE votes.epoch SET epoch = 2');
  await untilCounted(session.sessionNo, 300);
  expect(worker.trouble).toBeUndefined();
});

test('a server that is left keeps no connection of the pool', async () => {
  const pool = createPool({
    url: database.url('ledger'),
    applicationName: 'leaving',
    connectionsMax: 3,
    log: createLog({ service: 'test' }, 'fatal' as 'error'),
  });
  await Promise.all([1, 2, 3].map(() => pool.query('SELECT pg_sleep(0.05)')));
  const busy = pool.query('SELECT pg_sleep(1)');
  const failed = expect(busy).rejects.toThrow();
  await sleep(50);
  const pids = () => pidsOf(admin, 'leaving');
  expect(await pids()).toHaveLength(3);
  leaveServer(pool);
  await failed;
  await vi.waitFor(async () => expect(await pids()).toEqual([]), 5000);
  await pool.query('SELECT 1');
  expect(await pids()).toHaveLength(1);
  await pool.end();
});

async function pidsOf(pool: Pool, name: string): Promise<number[]> {
  const { rows } = await pool.query<{ pid: number }>(
    'SELECT pid FROM pg_stat_activity WHERE application_name = $1',
    [name],
  );
  return rows.map(({ pid }) => pid);
}

test('a record that the store refuses stops its partition, and the others go on', async () => {
  const session = await createSession(admin);
  const backlog = makeBacklog(session.sessionId, 3000, partitions, false);
  const region = await regionNo(admin, 'poisoned');
  // The next count of option 0 in partition 1 would not be exact any more.
  await admin.query(
    `INSERT INTO votes.tallies (session_no, option_no, region_no, partition, votes)
     VALUES ($1, 0, $2, 1, $3)`,
    [session.sessionNo, region, 2 ** 53 - 1],
  );
  const { worker } = await startWorker(database.url('ledger'), 'poisoned', backlog, () => 2);
  await untilCounted(session.sessionNo, backlog[0]!.length + backlog[2]!.length);
  await vi.waitFor(() => expect(worker.trouble).toContain('partition 1 is stopped: '));
  const { rows } = await admin.query(
    'SELECT next_offset FROM votes.offsets WHERE region_no = $1 ORDER BY partition',
    [region],
  );
  expect(rows).toEqual([
    { next_offset: backlog[0]!.length },
    { next_offset: 0 },
    { next_offset: backlog[2]!.length },
  ]);
});
