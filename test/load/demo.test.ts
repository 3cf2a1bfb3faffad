import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { pick } from './demo.ts';

test('a demo voter picks an option as often as it is liked', () => {
  expect([0, 0.24, 0.26, 0.99].map((random) => pick([1, 3], random))).toEqual([0, 0, 1, 1]);
  fc.assert(
    fc.property(
      fc.array(fc.double({ min: 0.3, max: 5, noNaN: true }), { minLength: 1 }),
      fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }),
      (weights, random) => {
        const index = pick(weights, random);
        expect(index).toBeGreaterThanOrEqual(0);
        expect(index).toBeLessThan(weights.length);
      },
    ),
  );
});
