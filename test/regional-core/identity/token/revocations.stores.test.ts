import { randomUUID } from 'node:crypto';
import { afterAll, expect, inject, test } from 'vitest';
import { HOUR_MS, systemClock } from '#common/clock.ts';
import { createLog } from '#common/log.ts';
import { createRedis } from '#common/redis.ts';
import {
  type Revocation,
  Revocations,
} from '../../../../regional-core/identity/token/revocations.ts';

const log = createLog({ service: 'test' }, 'error');
const redis = createRedis({ url: inject('stores').redisUrl, name: 'test', commandMs: 5000, log });
afterAll(() => redis.disconnect());
await new Promise((resolve) => redis.once('ready', resolve));

/** What Postgres would say, and a clock that is moved by hand. */
function createWorld() {
  const world = {
    nowMs: Date.now(),
    rows: [] as (Revocation & { revokedAtMs: number })[],
    loads: [] as number[],
    revoke: (jti: string, lifeMs = HOUR_MS): Revocation => {
      const row = { jti, expiresAtMs: world.nowMs + lifeMs, revokedAtMs: world.nowMs };
      world.rows.push(row);
      return row;
    },
  };
  const prefix = `test-${randomUUID()}:`;
  const start = (): Revocations =>
    new Revocations({
      load: async (sinceMs, nowMs) => {
        world.loads.push(sinceMs);
        return world.rows.filter((row) => row.revokedAtMs >= sinceMs && row.expiresAtMs > nowMs);
      },
      redis,
      prefix,
      clock: {
        now: () => world.nowMs,
        monotonicMs: () => world.nowMs,
        after: (ms, act) => systemClock.after(ms, act),
      },
    });
  return { world, prefix, start };
}

test('what was revoked before the start is known after it', async () => {
  const { world, start } = createWorld();
  world.revoke('early');
  const revocations = start();
  expect(revocations.isLoaded).toBe(false);
  await revocations.refresh();
  expect(revocations.isLoaded).toBe(true);
  expect(await revocations.isRevoked('early')).toBe(true);
  expect(await revocations.isRevoked('other')).toBe(false);
});

test('a process sees at once, through Redis, what another has revoked', async () => {
  const { world, prefix, start } = createWorld();
  const [one, two] = [start(), start()];
  await one.refresh();
  await two.refresh();
  await one.add([world.revoke('now')]);
  expect(await two.isRevoked('now')).toBe(true);
  expect(await redis.get(`${prefix}token:blacklist:now`)).toBe('1');
});

test('an emptied Redis is filled again by the next refresh, and nobody is let in before', async () => {
  const { world, prefix, start } = createWorld();
  const revocations = start();
  world.revoke('early');
  await revocations.refresh();
  for (const key of await redis.keys(`${prefix}*`)) await redis.del(key);
  expect(await revocations.isRevoked('early')).toBe(true);
  world.nowMs += 2 * 60_000;
  await revocations.refresh();
  expect(await redis.get(`${prefix}token:blacklist:early`)).toBe('1');
});

test('a later refresh reads what is new, with a minute of overlap', async () => {
  const { world, start } = createWorld();
  const revocations = start();
  const firstMs = world.nowMs;
  await revocations.refresh();
  world.nowMs += 30_000;
  await revocations.refresh();
  expect(world.loads).toEqual([0, firstMs - 60_000]);
});

test('a revocation is kept a little longer than its token lives, then forgotten', async () => {
  const { world, prefix, start } = createWorld();
  const revocations = start();
  await revocations.add([world.revoke('short', 1000)]);
  expect(await redis.pttl(`${prefix}token:blacklist:short`)).toBeGreaterThan(5000);
  for (const key of await redis.keys(`${prefix}*`)) await redis.del(key);
  world.nowMs += 5000;
  await revocations.refresh();
  expect(await revocations.isRevoked('short')).toBe(true);
  world.nowMs += 60_000;
  await revocations.refresh();
  // Redis goes by the real time, in which no minute has passed.
  await redis.del(`${prefix}token:blacklist:short`);
  expect(await revocations.isRevoked('short')).toBe(false);
});
