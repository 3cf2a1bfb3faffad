import { randomUUID } from 'node:crypto';
import * as fc from 'fast-check';
import { afterAll, expect, inject, test } from 'vitest';
import { systemClock } from '#common/clock.ts';
import { createLog } from '#common/log.ts';
import { Counter } from '#common/metrics.ts';
import { createRedis } from '#common/redis.ts';
import { createLimiter } from '../../../../regional-core/identity/limit/limiter.ts';
import {
  giveBackOne,
  takeOne,
  type WindowState,
} from '../../../../regional-core/identity/limit/sliding-window.ts';

const log = createLog({ service: 'test' }, 'error');
const redis = createRedis({ url: inject('stores').redisUrl, name: 'test', commandMs: 5000, log });
afterAll(() => redis.disconnect());
await new Promise((resolve) => redis.once('ready', resolve));

const clock = {
  nowMs: 1_700_000_000_000,
  now: () => clock.nowMs,
  monotonicMs: () => 0,
  after: (ms: number, act: () => void) => systemClock.after(ms, act),
};
const localTotal = new Counter({ name: 'local', help: 'x', labelNames: ['limit'], registers: [] });
const prefix = `test-${randomUUID()}:`;
const limiter = createLimiter({ redis, prefix, clock, random: () => 0, localTotal });
const limit = { name: 'test', max: 4, windowMs: 1000 };

test('Redis counts exactly as the pure function does', async () => {
  const move = fc.record({ isTake: fc.boolean(), waitMs: fc.nat(700) });
  await fc.assert(
    fc.asyncProperty(fc.array(move, { maxLength: 30 }), async (moves) => {
      const who = randomUUID();
      let state: WindowState | undefined;
      for (const { isTake, waitMs } of moves) {
        clock.nowMs += waitMs;
        if (isTake) {
          const expected = takeOne(state, limit, clock.nowMs);
          expect(await limiter.tryTake(limit, who)).toBe(expected.taken);
          state = expected.state;
        } else {
          await limiter.giveBack(limit, who);
          state = giveBackOne(state, limit, clock.nowMs);
        }
      }
    }),
    { numRuns: 40 },
  );
  expect((await localTotal.get()).values).toEqual([]);
});

test('a refusal says when to come back', async () => {
  clock.nowMs = 1_700_000_100_000;
  for (let time = 0; time < limit.max; time++) await limiter.take(limit, 'somebody');
  await expect(limiter.take(limit, 'somebody')).rejects.toMatchObject({
    code: 'rate_limit_exceeded',
    retryAfterS: 1,
  });
  await limiter.take(limit, 'somebody else');
});

test('keys name nobody, stand under the prefix and go away by themselves', async () => {
  await limiter.take(limit, 'voter@example.com');
  const keys = await redis.keys(`${prefix}*`);
  expect(keys.length).toBeGreaterThan(0);
  for (const key of keys) {
    expect(key).toMatch(/:rate:test:[\w-]{22}$/);
    expect(await redis.pttl(key)).toBeLessThanOrEqual(2000);
  }
});
