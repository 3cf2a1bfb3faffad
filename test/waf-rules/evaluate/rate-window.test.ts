import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { RateWindow } from '#waf/evaluate/rate-window.ts';

describe('a rate window', () => {
  it('counts each key for itself', () => {
    const window = new RateWindow(60_000, 10);
    expect([window.add('a', 0), window.add('a', 1), window.add('b', 2)]).toEqual([1, 2, 1]);
  });

  it('lets what lies back fade by its share of the window', () => {
    const window = new RateWindow(60_000, 10);
    for (let at = 0; at < 100; at++) window.add('a', 59_999);
    expect(window.add('a', 60_000)).toBe(101);
    expect(window.add('a', 75_000)).toBe(2 + 75);
    expect(window.add('a', 120_000)).toBe(1 + 2);
  });

  it('forgets all after two windows of silence', () => {
    const window = new RateWindow(60_000, 10);
    for (let at = 0; at < 100; at++) window.add('a', 0);
    expect(window.add('a', 120_000)).toBe(1);
  });

  it('counts no more keys than its bound, and those it has go on', () => {
    const window = new RateWindow(60_000, 2);
    window.add('a', 0);
    window.add('b', 0);
    expect([window.add('c', 0), window.add('c', 0), window.add('a', 0)]).toEqual([0, 0, 2]);
  });

  it('is never above what came in two windows, nor below what came in the current one', () => {
    const steps = fc.array(fc.nat({ max: 40_000 }), { maxLength: 50 });
    fc.assert(
      fc.property(steps, (waits) => {
        const window = new RateWindow(60_000, 10);
        const times: number[] = [];
        let nowMs = 0;
        for (const wait of waits) {
          nowMs += wait;
          times.push(nowMs);
          const rate = window.add('a', nowMs);
          const index = Math.floor(nowMs / 60_000);
          const inCurrent = times.filter((time) => Math.floor(time / 60_000) === index);
          const inBoth = times.filter((time) => Math.floor(time / 60_000) >= index - 1);
          expect(rate).toBeGreaterThanOrEqual(inCurrent.length);
          expect(rate).toBeLessThanOrEqual(inBoth.length);
        }
      }),
    );
  });
});
