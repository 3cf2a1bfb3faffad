import { MINUTE_MS, SECOND_MS, sleep } from './clock.ts';
import type { Log } from './log.ts';
import type { Redis } from './redis.ts';

/**
 * A Redis that evicts would drop claims and limits without a word, and a claim that is gone looks
 * like a first vote; one that refuses writes when it is full says so, and is counted as away. So
 * any policy but `noeviction` makes the process not ready. INFO tells it, because managed stores
 * forbid CONFIG; one that cannot be asked is away, which is no fault.
 */
export interface RedisPolicy {
  readonly notReady: () => readonly string[];
  readonly close: () => Promise<void>;
}

const recheckMs = MINUTE_MS;
/** While it is away, or somebody is mending it. */
const soonMs = 5 * SECOND_MS;

/** Asks now, at each new connection, and every minute; every 5 s while it is away or wrong. */
export function watchRedisPolicy(redis: Redis, log: Log): RedisPolicy {
  const closing = new AbortController();
  let policy: string | undefined;
  const isWrong = (): boolean => policy !== undefined && policy !== 'noeviction';
  const check = async (): Promise<void> => {
    const found = /^maxmemory_policy:([\w-]+)/m.exec(await redis.info('memory'))?.[1];
    if (found !== undefined && found !== 'noeviction' && found !== policy) {
      log.error({ policy: found }, 'redis may drop claims without a word');
    }
    policy = found ?? policy;
  };
  const run = async (): Promise<void> => {
    while (!closing.signal.aborted) {
      await check().catch((error: unknown) => log.debug({ err: error }, 'redis was not asked'));
      await sleep(policy === 'noeviction' ? recheckMs : soonMs, closing.signal);
    }
  };
  // A store that was failed over to may be set otherwise.
  redis.on('ready', () => void check().catch(() => undefined));
  const running = run();
  return {
    notReady: () =>
      isWrong() ? [`redis: maxmemory-policy is ${policy}, should be noeviction`] : [],
    close: async () => {
      closing.abort();
      await running;
    },
  };
}
