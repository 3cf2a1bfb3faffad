import { createSecretKey, randomBytes, randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type Socket } from 'node:net';
import { setImmediate } from 'node:timers/promises';
import { afterEach, expect, test, vi } from 'vitest';
import { systemClock } from '#common/clock.ts';
import { createLog } from '#common/log.ts';
import { createRedis } from '#common/redis.ts';
import type { ClaimAnswer, ClaimStore } from '../../../regional-core/intake/claim-store.ts';
import { Claims } from '../../../regional-core/intake/claims.ts';
import { RedisClaimStore } from '../../../regional-core/intake/redis-claim-store.ts';

/** Redis gone, or there and silent: votes go on and limits hold. */
const log = createLog({ service: 'test' }, 'error');
const choice = Buffer.alloc(8, 1);
const closers: (() => Promise<void> | void)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0)) await close();
});

function createClaims(port: number) {
  const redis = createRedis({
    url: `redis://127.0.0.1:${port}/0`,
    name: 'test',
    commandMs: 100,
    log: createLog({ service: 'test' }, 'error'),
  });
  closers.push(() => redis.disconnect());
  let away = 0;
  const limits = {
    voterBurst: 3,
    voterRefillPerS: 1,
    addressBallotsPerMinute: 6,
    addressOthersPerMinute: 2,
  };
  const nameKey = createSecretKey(randomBytes(32));
  const claims = new Claims({
    store: new RedisClaimStore({ redis, prefix: '', limits, nameKey }),
    limits,
    clock: systemClock,
    log,
    random8: () => randomBytes(8),
    onAway: () => away++,
  });
  return { claims, redis, away: () => away };
}

/** Takes connections and never says a word. */
async function silentServer(): Promise<number> {
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => undefined);
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  closers.push(async () => {
    for (const socket of sockets) socket.destroy();
    server.close();
    await once(server, 'close');
  });
  return (server.address() as { port: number }).port;
}

test('with Redis gone a vote goes on without a claim, and a voter is still limited', async () => {
  const { claims, away } = createClaims(9);
  const voter = randomUUID();
  const admissions = [];
  for (let tries = 0; tries < 4; tries++) admissions.push(await claims.admit('a', voter, choice));
  expect(admissions.slice(0, 3)).toEqual(
    Array.from({ length: 3 }, () => ({ limited: false, held: undefined })),
  );
  expect(admissions[3]).toMatchObject({ limited: true });
  expect(away()).toBe(4);
});

test('with Redis gone an address is limited, with ballots and without', async () => {
  const { claims } = createClaims(9);
  const limited = [];
  for (let voter = 0; voter < 7; voter++) {
    limited.push((await claims.admit('address', randomUUID(), choice)).limited);
  }
  expect(limited).toEqual([false, false, false, false, false, false, true]);
  const waits = [];
  for (let tries = 0; tries < 3; tries++) waits.push(await claims.countStranger('address'));
  expect(waits.map((waitMs) => waitMs > 0)).toEqual([false, false, true]);
});

/** A Redis that is ready and answers every script with this error. */
async function failingServer(error: string): Promise<number> {
  const info = 'redis_version:7.2.0\r\nloading:0';
  const replies: Readonly<Record<string, string>> = {
    hello: "-ERR unknown command 'HELLO'",
    client: '+OK',
    info: `$${info.length}\r\n${info}`,
  };
  const server = createServer((socket) => {
    socket.on('error', () => undefined);
    socket.on('data', (bytes) => {
      // The first word of each command (RESP: an array of strings with their lengths).
      for (const [, word = ''] of bytes.toString().matchAll(/\*\d+\r\n\$\d+\r\n(\w+)/g)) {
        socket.write(`${replies[word.toLowerCase()] ?? `-${error}`}\r\n`);
      }
    });
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  closers.push(() => void server.close());
  return (server.address() as { port: number }).port;
}

test.each([
  'MOVED 1234 127.0.0.1:1',
  'CROSSSLOT Keys in request do not hash to the same slot',
  'CLUSTERDOWN The cluster is down',
  'LOADING Redis is loading the dataset in memory',
  'NOSCRIPT No matching script',
  'MISCONF Errors writing to disk',
  'NOPERM this user has no permissions',
])('a Redis that says %s is done without, and limits hold', async (error) => {
  const { claims, redis, away } = createClaims(await failingServer(error));
  await vi.waitFor(() => expect(redis.status).toBe('ready'));
  const voter = randomUUID();
  const limited = [];
  for (let tries = 0; tries < 5; tries++) {
    limited.push((await claims.admit('a', voter, choice)).limited);
  }
  expect(limited).toEqual([false, false, false, true, true]);
  expect(away()).toBe(5);
});

test('a Redis that does not answer costs the first vote 100 ms and the next ones nothing', async () => {
  const { claims } = createClaims(await silentServer());
  const timed = async () => {
    const startedMs = performance.now();
    await claims.admit('a', randomUUID(), choice);
    return performance.now() - startedMs;
  };
  expect(await timed()).toBeLessThan(250);
  expect(await timed()).toBeLessThan(20);
});

/** Answers as it is told to, and remembers what was taken back. */
function claimsAnswering(answers: ClaimAnswer[], finish: ClaimStore['finish'] = async () => {}) {
  let withdrawn = 0;
  const store: ClaimStore = {
    admit: () => Promise.resolve(answers.shift()!),
    countStranger: () => Promise.resolve(0),
    finish,
    withdraw: async () => {
      withdrawn++;
    },
  };
  const claims = new Claims({
    store,
    limits: {
      voterBurst: 3,
      voterRefillPerS: 1,
      addressBallotsPerMinute: 6,
      addressOthersPerMinute: 2,
    },
    clock: systemClock,
    log,
    random8: () => randomBytes(8),
    onAway: () => undefined,
  });
  return { claims, withdrawn: () => withdrawn };
}

test('either limit is enough to wait, for the longer of the two', async () => {
  const { claims, withdrawn } = claimsAnswering([
    { addressWaitMs: 0, voterWaitMs: 7, held: undefined },
    { addressWaitMs: 5, voterWaitMs: 7, held: undefined },
    { addressWaitMs: 1, voterWaitMs: 0, held: undefined },
  ]);
  for (const retryMs of [7, 7, 1]) {
    expect(await claims.admit('a', randomUUID(), choice)).toEqual({ limited: true, retryMs });
  }
  // The first two claimed nothing, because the voter had to wait.
  expect(withdrawn()).toBe(1);
});

test('within both limits the vote is claimed, and the claim stays', async () => {
  const { claims, withdrawn } = claimsAnswering([
    { addressWaitMs: 0, voterWaitMs: 0, held: undefined },
  ]);
  const admission = await claims.admit('a', randomUUID(), choice);
  expect(admission).toMatchObject({ limited: false, held: undefined });
  expect('pending' in admission && admission.pending?.subarray(1, 9)).toEqual(choice);
  expect(withdrawn()).toBe(0);
});

test('while 2,000 claims are being written a further one is dropped, and not when they are', async () => {
  const writing: (() => void)[] = [];
  const { claims } = claimsAnswering([], () => new Promise((resolve) => writing.push(resolve)));
  const place = { region: 'us-east-1', partition: 0, offset: 1, durability: 'single' } as const;
  const signed = { kid: randomBytes(8).toString('base64url'), signature: randomBytes(64) };
  const done = { ...place, ...signed, acceptedAtMs: Date.now() };
  const finish = (): void => claims.finish(randomUUID(), choice, done);
  for (let no = 0; no < 2001; no++) finish();
  expect(writing).toHaveLength(2000);
  for (const written of writing.splice(0)) written();
  await setImmediate();
  finish();
  expect(writing).toHaveLength(1);
  writing[0]!();
});
