import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { Histogram } from './histogram.ts';

describe('a histogram', () => {
  test('gives quantiles that are never too low and at most 0.8 % too high', () => {
    const duration = fc.double({ min: 0, max: 2_000_000, noNaN: true });
    fc.assert(
      fc.property(
        fc.array(duration, { minLength: 1, maxLength: 300 }),
        fc.constantFrom(0.5, 0.95, 0.99, 1),
        (durations, share) => {
          const histogram = new Histogram();
          for (const ms of durations) histogram.record(ms);
          const sorted = durations.toSorted((a, b) => a - b);
          const exact = sorted[Math.ceil(share * sorted.length) - 1]!;
          const roundedMs = Math.round(exact * 1000) / 1000;
          const quantile = histogram.quantile(share);
          expect(quantile).toBeGreaterThanOrEqual(roundedMs);
          expect(quantile).toBeLessThanOrEqual(roundedMs * 1.008 + 0.000_1);
        },
      ),
    );
  });

  test('keeps the largest value exactly, and others to the end of their bucket', () => {
    const histogram = new Histogram();
    for (const ms of [1, 2, 98_765.432]) histogram.record(ms);
    expect(histogram.percentiles()).toEqual({
      p50: 2.01,
      p95: 98_765.43,
      p99: 98_765.43,
      max: 98_765.43,
    });
  });

  test('counts what lies outside its range at its ends', () => {
    const histogram = new Histogram();
    histogram.record(-5);
    histogram.record(1e12);
    expect(histogram.count).toBe(2);
    expect(histogram.quantile(0.5)).toBe(0);
    expect(histogram.percentiles().max).toBe(2_147_483.65);
  });

  test('shows zeros while it is empty', () => {
    expect(new Histogram().percentiles()).toEqual({ p50: 0, p95: 0, p99: 0, max: 0 });
  });
});
