import { describe, expect, it } from 'vitest';
import { systemClock } from '#common/clock.ts';
import { Cache, type WholeAnswer } from '../../../local/edge/cache.ts';

const clock = {
  nowMs: 0,
  now: () => 0,
  monotonicMs: () => clock.nowMs,
  after: (ms: number, act: () => void) => systemClock.after(ms, act),
};

function answerOf(body: string, status = 200, freshS = 60): WholeAnswer {
  const freshness = { kind: 'shared', freshS, staleS: 0, errorS: 0 } as const;
  return { status, headers: [], etag: undefined, body: Buffer.from(body), freshness };
}

describe('the cache', () => {
  it('holds no more bytes than its bound: what was fetched longest ago goes first', async () => {
    const cache = new Cache(clock, 10_000, 1);
    let fetched = 0;
    const get = (key: string): Promise<unknown> =>
      cache.serve(key, () => {
        fetched++;
        return Promise.resolve(answerOf('x'.repeat(1000)));
      });
    for (const key of ['a', 'b', 'c', 'd']) await get(key);
    expect(fetched).toBe(4);
    await get('d');
    await get('c');
    expect(fetched).toBe(4);
    await get('a');
    expect(fetched).toBe(5);
  });

  it('keeps no answer that may not be kept, but lets those who wait share it', async () => {
    const cache = new Cache(clock, 10_000, 1);
    let fetched = 0;
    const get = (): Promise<unknown> =>
      cache.serve('k', () => {
        fetched++;
        return Promise.resolve(answerOf('now', 200, 0));
      });
    await Promise.all([get(), get(), get()]);
    expect(fetched).toBe(1);
    await get();
    expect(fetched).toBe(2);
  });

  it('passes on a fault of the fetch to all who wait, and asks again afterwards', async () => {
    const cache = new Cache(clock, 10_000, 1);
    const broken = (): Promise<WholeAnswer> => Promise.reject(new Error('a bug'));
    const waits = [cache.serve('k', broken), cache.serve('k', broken)];
    const settled = await Promise.allSettled(waits);
    expect(settled.map(({ status }) => status)).toEqual(['rejected', 'rejected']);
    expect((await cache.serve('k', () => Promise.resolve(answerOf('ok')))).how).toBe('miss');
  });
});
