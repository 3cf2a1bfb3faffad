import { createSecretKey, randomBytes, randomUUID } from 'node:crypto';
import { afterAll, expect, inject, test } from 'vitest';
import { sleep, systemClock } from '#common/clock.ts';
import { createLog } from '#common/log.ts';
import { createRedis } from '#common/redis.ts';
import { type DoneClaim, decodeClaim, pendingMs } from '../../../regional-core/intake/claim.ts';
import { Claims } from '../../../regional-core/intake/claims.ts';
import { RedisClaimStore } from '../../../regional-core/intake/redis-claim-store.ts';

const log = createLog({ service: 'test' }, 'error');
const url = inject('stores').redisUrl;
const redis = createRedis({ url, name: 'test', commandMs: 1000, log });
const prefix = `${randomBytes(4).toString('hex')}:`;
const limits = {
  voterBurst: 10,
  voterRefillPerS: 1,
  addressBallotsPerMinute: 4,
  addressOthersPerMinute: 2,
};
const nameKey = createSecretKey(randomBytes(32));
const claims = new Claims({
  store: new RedisClaimStore({ redis, prefix, limits, nameKey }),
  limits,
  clock: systemClock,
  log,
  random8: () => randomBytes(8),
  onAway: () => {
    throw new Error('Redis is there');
  },
});
afterAll(() => redis.disconnect());
while (redis.status !== 'ready') await sleep(10);

const [tea, coffee] = [Buffer.alloc(8, 1), Buffer.alloc(8, 2)];
const done: DoneClaim = {
  acceptedAtMs: 1_800_000_000_000,
  region: 'us-east-1',
  partition: 3,
  offset: 42,
  durability: 'single',
  kid: Buffer.alloc(8, 9).toString('base64url'),
  signature: Buffer.alloc(64, 7),
};
const keyOf = (voteId: string): string => `${prefix}vote:{${voteId}}`;
const held = async (voteId: string) => {
  const bytes = await redis.getBuffer(keyOf(voteId));
  return bytes === null ? undefined : decodeClaim(bytes);
};

test('the first submission claims, the next one sees whose claim it is', async () => {
  const voteId = randomUUID();
  expect(await claims.admit('a', voteId, tea)).toMatchObject({ limited: false, held: undefined });
  const second = await claims.admit('a', voteId, coffee);
  expect(second).toMatchObject({ limited: false, held: { state: 'pending', choice: tea } });
  expect(await redis.pttl(keyOf(voteId))).toBeLessThanOrEqual(pendingMs);
});

test('the same choice again renews the claim, another choice does not', async () => {
  const voteId = randomUUID();
  await claims.admit('b', voteId, tea);
  await redis.pexpire(keyOf(voteId), 500);
  await claims.admit('b', voteId, coffee);
  expect(await redis.pttl(keyOf(voteId))).toBeLessThanOrEqual(500);
  await claims.admit('b', voteId, tea);
  expect(await redis.pttl(keyOf(voteId))).toBeGreaterThan(pendingMs - 500);
});

test('DONE follows PENDING, and nothing overwrites it', async () => {
  const voteId = randomUUID();
  await claims.admit('c', voteId, tea);
  claims.finish(voteId, tea, done);
  while ((await held(voteId))?.state !== 'done') await sleep(5);
  claims.finish(voteId, coffee, { ...done, offset: 99 });
  await sleep(50);
  expect(await held(voteId)).toMatchObject({ choice: tea, offset: 42 });
  const again = await claims.admit('c', voteId, tea);
  expect(again).toMatchObject({ limited: false, held: { state: 'done', ...done } });
});

test('an address past its limit leaves no claim behind', async () => {
  for (let voter = 0; voter < 4; voter++) await claims.admit('d', randomUUID(), tea);
  const voteId = randomUUID();
  const refused = await claims.admit('d', voteId, tea);
  expect(refused).toMatchObject({ limited: true });
  for (let tries = 0; tries < 50 && (await held(voteId)) !== undefined; tries++) await sleep(10);
  expect(await held(voteId)).toBeUndefined();
});

test('neighbours in one IPv6 household share a window; scripts forgotten are sent again', async () => {
  await redis.script('FLUSH');
  expect(await claims.countStranger('2001:db8:1:2::1')).toBe(0);
  expect(await claims.countStranger('2001:db8:1:2:ffff::9')).toBe(0);
  expect(await claims.countStranger('2001:db8:1:2::3')).toBeGreaterThan(0);
  expect(await claims.countStranger('2001:db8:1:3::1')).toBe(0);
});
