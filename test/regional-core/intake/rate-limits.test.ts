import fc from 'fast-check';
import { expect, test } from 'vitest';
import { localKeysMax, TokenBuckets } from '../../../regional-core/intake/rate-limits.ts';

test('never lets through more than the burst and what has been refilled', () => {
  fc.assert(
    fc.property(fc.array(fc.nat(3000), { maxLength: 100 }), (gapsMs) => {
      const buckets = new TokenBuckets(10, 1);
      let nowMs = 0;
      let passed = 0;
      for (const gapMs of gapsMs) {
        nowMs += gapMs;
        if (buckets.take('voter', nowMs) === 0) passed++;
      }
      expect(passed).toBeLessThanOrEqual(10 + nowMs / 1000);
    }),
  );
});

test('who waits as long as told is let through', () => {
  const buckets = new TokenBuckets(2, 0.5);
  expect([buckets.take('v', 0), buckets.take('v', 0)]).toEqual([0, 0]);
  const waitMs = buckets.take('v', 0);
  expect(waitMs).toBe(2000);
  expect(buckets.take('v', waitMs - 1)).toBeGreaterThan(0);
  expect(buckets.take('v', waitMs)).toBe(0);
});

test('one voter does not use up what another may send', () => {
  const buckets = new TokenBuckets(1, 1);
  expect(buckets.take('a', 0)).toBe(0);
  expect(buckets.take('b', 0)).toBe(0);
});

test('remembers a bounded number of keys, the latest ones', () => {
  const buckets = new TokenBuckets(1, 0.001);
  for (let key = 0; key <= localKeysMax; key++) buckets.take(`key-${key}`, 0);
  expect(buckets.size).toBe(localKeysMax);
  expect(buckets.take(`key-${localKeysMax}`, 0)).toBeGreaterThan(0);
});
