import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { arrivalMs, curves } from './arrivals.ts';

const durationMs = 60_000;
const arrivals = (curve: (typeof curves)[number], count: number): number[] =>
  Array.from({ length: count }, (_, index) => arrivalMs(curve, index, count, durationMs));
const between = (times: readonly number[], from: number, to: number): number =>
  times.filter((ms) => ms >= from * durationMs && ms < to * durationMs).length;

describe('arrivals', () => {
  test('come in order, from the start on, and all before the end, on every curve', () => {
    fc.assert(
      fc.property(
        fc.constantFrom(...curves),
        fc.integer({ min: 1, max: 3_000 }),
        (curve, count) => {
          const times = arrivals(curve, count);
          expect(times[0]).toBe(0);
          expect(times.every((ms, index) => index === 0 || ms > times[index - 1]!)).toBe(true);
          expect(times.at(-1)!).toBeLessThan(durationMs);
        },
      ),
    );
  });

  test('are evenly spread on the flat curve', () => {
    expect(arrivals('flat', 5)).toEqual([0, 12_000, 24_000, 36_000, 48_000]);
  });

  test('come three times as often in the first tenth of an opening', () => {
    expect(between(arrivals('opening', 9_999), 0, 0.1)).toBe(3_000);
  });

  test('come more than three times as often in the tenth around a spike', () => {
    const times = arrivals('spike', 10_000);
    expect(between(times, 0.45, 0.55)).toBe(3_250);
    expect(between(times, 0, 0.45)).toBe(between(times, 0.55, 1));
  });
});
