import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { sleep } from '#common/clock.ts';
import { createLog } from '#common/log.ts';
import { createRedis, type Redis } from '#common/redis.ts';
import { watchRedisPolicy } from '#common/redis-policy.ts';
import { anyFreePorts } from '../../../local/free-ports.ts';
import { findTools } from '../../../local/tools.ts';

/** Redis processes of this file's own, and one address that leads to either, as after a fail-over. */
const log = createLog({ service: 'test' }, 'error', { write: () => {} });
const [firstPort = 0, secondPort = 0] = await anyFreePorts(2);
const children: ChildProcess[] = [];
/** A replica keeps what its primary sends it in a file. */
const folder = await mkdtemp(join(tmpdir(), 'vote-redis-'));

async function startRedis(port: number): Promise<Redis> {
  const own = ['--dir', folder, '--dbfilename', `${port}.rdb`, '--port', String(port)];
  const flags = [...own, '--save', '', '--maxmemory', '64mb'];
  const child = spawn(findTools().redisServer, [...flags, '--maxmemory-policy', 'noeviction'], {
    stdio: 'ignore',
  });
  children.push(child);
  const redis = createRedis({ url: `redis://127.0.0.1:${port}`, name: 'd', commandMs: 1000, log });
  while ((await redis.ping().catch(() => '')) !== 'PONG') await sleep(20);
  return redis;
}

const first = await startRedis(firstPort);
const second = await startRedis(secondPort);
let target = firstPort;
/** While set, what is sent is swallowed: a primary that was cut off and never says so. */
let isSilent = false;
const sockets = new Set<Socket>();
const front: Server = createServer((client) => {
  const upstream = connect(target, '127.0.0.1');
  for (const [from, to] of [
    [client, upstream],
    [upstream, client],
  ] as const) {
    sockets.add(from);
    from.on('data', (chunk) => void (isSilent || to.write(chunk)));
    from.on('error', () => undefined);
    from.on('close', () => {
      sockets.delete(from);
      to.destroy();
    });
  }
}).listen(0, '127.0.0.1');
await once(front, 'listening');
const { port: frontPort } = front.address() as { port: number };

async function connected(): Promise<Redis> {
  const url = `redis://127.0.0.1:${frontPort}`;
  const redis = createRedis({ url, name: 'test', commandMs: 100, log });
  while ((await redis.ping().catch(() => '')) !== 'PONG') await sleep(5);
  return redis;
}

afterAll(async () => {
  for (const redis of [first, second]) redis.disconnect();
  for (const socket of sockets) socket.destroy();
  front.close();
  for (const child of children) {
    child.kill('SIGKILL');
    await once(child, 'close');
  }
  await rm(folder, { recursive: true });
});

async function msUntilWritten(redis: Redis): Promise<number> {
  const startedMs = performance.now();
  while ((await redis.set('key', 'value').catch(() => '')) !== 'OK') await sleep(10);
  return performance.now() - startedMs;
}

test.each([
  ['a command', (redis: Redis) => redis.set('key', 'value')],
  [
    'a script',
    (redis: Redis) => redis.eval("return redis.call('set', KEYS[1], 'value')", 1, 'key'),
  ],
])('a primary that became a replica is left for the new one by %s', async (_, write) => {
  const redis = await connected();
  await second.replicaof('NO', 'ONE');
  await first.replicaof('127.0.0.1', String(secondPort));
  target = secondPort;
  await expect(write(redis)).rejects.toThrow('READONLY');
  expect(await msUntilWritten(redis)).toBeLessThan(500);
  redis.disconnect();
  target = firstPort;
  await first.replicaof('NO', 'ONE');
});

test('a connection full of commands is left once, however many of them are refused', async () => {
  const warnings: Error[] = [];
  const onWarning = (warning: Error): void => void warnings.push(warning);
  process.on('warning', onWarning);
  const redis = await connected();
  let closings = 0;
  redis.on('close', () => closings++);
  await second.replicaof('NO', 'ONE');
  await first.replicaof('127.0.0.1', String(secondPort));
  target = secondPort;
  const answers = await Promise.allSettled(
    Array.from({ length: 50 }, () => redis.set('key', 'value')),
  );
  expect(answers.filter(({ status }) => status === 'rejected')).toHaveLength(50);
  expect(await msUntilWritten(redis)).toBeLessThan(500);
  process.off('warning', onWarning);
  expect([closings, warnings.map(({ message }) => message)]).toEqual([1, []]);
  // And the next fail-over finds its way as the first did.
  await first.replicaof('NO', 'ONE');
  await second.replicaof('127.0.0.1', String(firstPort));
  target = firstPort;
  await expect(redis.set('key', 'value')).rejects.toThrow('READONLY');
  expect(await msUntilWritten(redis)).toBeLessThan(500);
  redis.disconnect();
});

test('a primary that says nothing more is left after a second', async () => {
  const redis = await connected();
  isSilent = true;
  await expect(redis.set('key', 'value')).rejects.toThrow('timed out');
  // The address leads elsewhere, and new connections work.
  const stale = [...sockets];
  isSilent = false;
  for (const socket of stale) socket.pause().removeAllListeners('data');
  target = secondPort;
  await second.replicaof('NO', 'ONE');
  expect(await msUntilWritten(redis)).toBeLessThan(2000);
  redis.disconnect();
  for (const socket of stale) socket.destroy();
  target = firstPort;
});

test('a Redis that may evict is named until it is set otherwise; one that is away is no fault', async () => {
  await first.config('SET', 'maxmemory-policy', 'allkeys-lru');
  const policy = watchRedisPolicy(first, log);
  const until = async (faults: number): Promise<void> => {
    const deadline = performance.now() + 7000;
    while (policy.notReady().length !== faults && performance.now() < deadline) await sleep(20);
  };
  await until(1);
  expect(policy.notReady()).toEqual([
    'redis: maxmemory-policy is allkeys-lru, should be noeviction',
  ]);
  await first.config('SET', 'maxmemory-policy', 'noeviction');
  await until(0);
  expect(policy.notReady()).toEqual([]);
  await policy.close();
  const nowhere = createRedis({ url: 'redis://127.0.0.1:9', name: 'n', commandMs: 100, log });
  const unknown = watchRedisPolicy(nowhere, log);
  await sleep(300);
  expect(unknown.notReady()).toEqual([]);
  await unknown.close();
  nowhere.disconnect();
});
