import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { backOffMs } from '../../voter-web/back-off.ts';

test('waits double from the first to the longest', () => {
  const waits = [1, 2, 3, 4, 5, 6, 7].map((tries) => backOffMs(tries, 0, 1000, 30_000));
  expect(waits).toEqual([1000, 2000, 4000, 8000, 16_000, 30_000, 30_000]);
});

test('a wait is never shorter than half its step nor longer than the bound', () => {
  const random = fc.double({ min: 0, max: 0.999_999, noNaN: true });
  fc.assert(
    fc.property(fc.integer({ min: -5, max: 1e6 }), random, (tries, chance) => {
      const wait = backOffMs(tries, chance, 1000, 30_000);
      return wait >= 500 && wait <= 30_000;
    }),
  );
});
