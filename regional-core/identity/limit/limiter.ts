import { createHash } from 'node:crypto';
import type { Clock } from '#common/clock.ts';
import { jitteredRetryS, ServiceError } from '#common/errors.ts';
import type { Counter } from '#common/metrics.ts';
import type { Redis } from '#common/redis.ts';
import { giveBackOne, type Limit, takeOne, type WindowState } from './sliding-window.ts';

export interface Limiter {
  /** Takes one of `who`'s attempts; throws `rate_limit_exceeded` when none is left. */
  take(limit: Limit, who: string): Promise<void>;
  /** As `take`, but answers false in place of throwing. */
  tryTake(limit: Limit, who: string): Promise<boolean>;
  giveBack(limit: Limit, who: string): Promise<void>;
}

/** States kept in this process while Redis is away; the oldest go first. About 200 bytes each. */
const localStatesMax = 50_000;

/**
 * The same arithmetic as sliding-window.ts, in one step on the region's Redis.
 * KEYS[1] the state; ARGV: window, covered part of the previous one, max, window in ms, 1 or −1.
 */
const script = `
local held = redis.call('HMGET', KEYS[1], 'w', 'c', 'p')
local window = tonumber(ARGV[1])
local at = tonumber(held[1]) or window
local current = tonumber(held[2]) or 0
local previous = tonumber(held[3]) or 0
if at < window then
  previous = (at == window - 1) and current or 0
  current = 0
end
local amount = tonumber(ARGV[5])
if amount > 0 and previous * tonumber(ARGV[2]) + current >= tonumber(ARGV[3]) then return 0 end
current = math.max(0, current + amount)
redis.call('HSET', KEYS[1], 'w', window, 'c', current, 'p', previous)
redis.call('PEXPIRE', KEYS[1], 2 * tonumber(ARGV[4]))
return 1
`;

type LimitCommand = (
  key: string,
  window: number,
  covered: number,
  max: number,
  windowMs: number,
  amount: 1 | -1,
) => Promise<number>;

/**
 * Limits shared by the region's processes through Redis. While Redis is away each process counts
 * for itself: N processes then allow N times as much, and nobody is refused because a cache is
 * gone.
 */
export function createLimiter(options: {
  readonly redis: Redis;
  readonly prefix: string;
  readonly clock: Clock;
  readonly random: () => number;
  readonly localTotal: Counter;
}): Limiter {
  const { redis, prefix, clock, random, localTotal } = options;
  redis.defineCommand('slidingWindow', { numberOfKeys: 1, lua: script });
  const command = (redis as unknown as { slidingWindow: LimitCommand }).slidingWindow.bind(redis);
  const local = new Map<string, WindowState>();

  const askRedis = async (limit: Limit, key: string, amount: 1 | -1): Promise<boolean> => {
    const nowMs = clock.now();
    const window = Math.floor(nowMs / limit.windowMs);
    const covered = 1 - (nowMs % limit.windowMs) / limit.windowMs;
    return (await command(key, window, covered, limit.max, limit.windowMs, amount)) === 1;
  };
  const askLocally = (limit: Limit, key: string, amount: 1 | -1): boolean => {
    localTotal.inc({ limit: limit.name });
    const before = local.get(key);
    const { state, taken } =
      amount === 1
        ? takeOne(before, limit, clock.now())
        : { state: giveBackOne(before, limit, clock.now()), taken: true };
    local.delete(key);
    if (local.size >= localStatesMax) local.delete(local.keys().next().value!);
    local.set(key, state);
    return taken;
  };
  const count = (limit: Limit, who: string, amount: 1 | -1): Promise<boolean> => {
    const key = `${prefix}rate:${limit.name}:${hashed(who)}`;
    return askRedis(limit, key, amount).catch(() => askLocally(limit, key, amount));
  };

  return {
    tryTake: (limit, who) => count(limit, who, 1),
    take: async (limit, who) => {
      if (await count(limit, who, 1)) return;
      const leftMs = limit.windowMs - (clock.now() % limit.windowMs);
      throw new ServiceError('rate_limit_exceeded', {
        retryAfterS: jitteredRetryS(leftMs / 1000, random),
      });
    },
    giveBack: async (limit, who) => {
      await count(limit, who, -1);
    },
  };
}

/** Redis never sees an address or an e-mail. */
function hashed(who: string): string {
  return createHash('sha256').update(who).digest('base64url').slice(0, 22);
}
