import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { DAY_MS } from '#common/clock.ts';
import { resultsAudience, resultsPolicies } from '#common/contracts/session.ts';
import { decideRelease } from '../../../../../admin-portal/api/sessions/release/decide.ts';

const nowMs = 1_900_000_000_000;
const around = fc.integer({ min: -DAY_MS, max: DAY_MS }).map((ms) => nowMs + ms);
const past = fc.integer({ min: 0, max: DAY_MS }).map((ms) => nowMs - ms);

test('a release shows what was hidden, once, after voting, or says why not', () => {
  const sessions = fc.record({
    results_policy: fc.constantFrom(...resultsPolicies),
    closesAtMs: around,
    releasedAtMs: fc.option(past, { nil: null }),
  });
  fc.assert(
    fc.property(sessions, ({ results_policy, closesAtMs, releasedAtMs }) => {
      const audience = (released_at_ms: number | null) =>
        resultsAudience({ results_policy, closes_at_ms: closesAtMs, released_at_ms }, nowMs);
      const row = {
        results_policy,
        closes_at: new Date(closesAtMs),
        released_at: releasedAtMs === null ? null : new Date(releasedAtMs),
      };
      const decision = decideRelease(row, nowMs);
      if ('change' in decision) {
        expect([audience(releasedAtMs), closesAtMs <= nowMs]).toEqual(['nobody', true]);
        expect(audience(decision.change.getTime())).toBe('everyone');
      } else if ('unchanged' in decision) {
        expect([results_policy, releasedAtMs]).toEqual(['on_release', expect.any(Number)]);
      } else {
        expect(results_policy !== 'on_release' || closesAtMs > nowMs).toBe(true);
        expect(decision.refused).toMatch(/^The results policy is|^Voting has not closed yet\.$/);
      }
    }),
  );
});
