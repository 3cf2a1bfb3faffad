import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { readEdgeConfig } from '../../../edge-config/read.ts';
import { type Freshness, freshnessOf } from '../../../local/edge/cache-control.ts';

const policies = readEdgeConfig().CachePolicies;
const snapshot = policies['Snapshot']!;

const judge = (cacheControl: string, status = 200, setsCookie = false): Freshness =>
  freshnessOf(status, cacheControl, setsCookie, snapshot, 1);

describe('the freshness of an answer', () => {
  it('is what its directives say', () => {
    expect(judge('public, max-age=1, stale-while-revalidate=5, stale-if-error=60')).toEqual({
      kind: 'shared',
      freshS: 1,
      staleS: 5,
      errorS: 60,
    });
  });

  it('prefers s-maxage, which is meant for shared caches', () => {
    expect(judge('max-age=0, s-maxage=3')).toMatchObject({ freshS: 3 });
  });

  it('is the policy default without directives, and never above the policy maximum', () => {
    expect(judge('')).toMatchObject({ freshS: 1, staleS: 0, errorS: 600 });
    expect(judge('max-age=9000, stale-while-revalidate=9000')).toMatchObject({
      freshS: 600,
      staleS: 600,
    });
  });

  it('has no stale time where the origin must be asked', () => {
    expect(judge('max-age=1, must-revalidate, stale-if-error=9')).toMatchObject({
      staleS: 0,
      errorS: 0,
    });
  });

  it('is private when the origin says so in any letter case, or sets a cookie', () => {
    for (const text of ['private', 'No-Store', 'max-age=60, no-cache']) {
      expect(judge(text)).toEqual({ kind: 'private' });
    }
    expect(judge('max-age=60', 200, true)).toEqual({ kind: 'private' });
  });

  it('of an error is the error time, whatever it says', () => {
    for (const status of [400, 404, 500, 503]) {
      expect(judge('no-store', status)).toMatchObject({ kind: 'shared', freshS: 1, errorS: 0 });
    }
  });

  it('is a bounded number of seconds for any text', () => {
    const word = fc.constantFrom(
      'max-age',
      's-maxage',
      'stale-if-error',
      '=',
      '"',
      '-1',
      '1e9',
      ',',
    );
    const text = fc
      .array(fc.oneof(word, fc.string({ maxLength: 5 })))
      .map((words) => words.join(''));
    fc.assert(
      fc.property(text, (cacheControl) => {
        const freshness = judge(cacheControl);
        if (freshness.kind === 'private') return;
        for (const seconds of [freshness.freshS, freshness.staleS, freshness.errorS]) {
          expect(seconds).toBeGreaterThanOrEqual(0);
          expect(seconds).toBeLessThanOrEqual(600);
        }
      }),
    );
  });
});
