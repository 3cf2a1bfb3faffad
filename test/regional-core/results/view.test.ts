import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { resultsPolicies } from '#common/contracts/session.ts';
import { encodeSnapshot } from '../../../regional-core/results/snapshot/encoded-snapshot.ts';
import type { Known } from '../../../regional-core/results/state.ts';
import { encodeChange, needsSnapshot } from '../../../regional-core/results/stream/change.ts';
import { percentagesOf, type Viewer, viewOf } from '../../../regional-core/results/view.ts';
import { aFinal, aSession, closesAtMs, opensAtMs, totalsAt } from './harness.ts';

type Case = [policy: (typeof resultsPolicies)[number], viewer: Viewer, atMs: number, seen: boolean];

function known(changes: Parameters<typeof aSession>[0], counts: number[] | null): Known {
  const totals = totalsAt(9, counts);
  return { session: aSession(changes), totals, heardAtMs: 0, staleSinceMs: null, revision: 1 };
}

test.each<Case>([
  ['live', 'public', opensAtMs, true],
  ['after_vote', 'public', closesAtMs - 1, false],
  ['after_vote', 'voter', closesAtMs - 1, true],
  ['after_vote', 'public', closesAtMs, true],
  ['after_close', 'voter', closesAtMs - 1, false],
  ['after_close', 'public', closesAtMs, true],
  ['on_release', 'voter', closesAtMs + 1, false],
])('%s, seen by %s at %d: counts are visible is %s', (results_policy, viewer, atMs, seen) => {
  const view = viewOf(known({ results_policy }, [4, 3, 2]), viewer, atMs);
  expect(view.counts).toEqual(seen ? [4, 3, 2] : null);
});

test('released results are visible from their moment on', () => {
  const released = known({ results_policy: 'on_release', released_at_ms: closesAtMs }, [1, 1, 1]);
  expect(viewOf(released, 'public', closesAtMs - 1).counts).toBeNull();
  expect(viewOf(released, 'public', closesAtMs).counts).toEqual([1, 1, 1]);
});

test('what the publisher withholds stays hidden, whatever the policy says here', () => {
  expect(viewOf(known({}, null), 'voter', closesAtMs).counts).toBeNull();
});

test('of a final result the statement speaks, and no totals that came after it', () => {
  const view = viewOf(known({ final: aFinal() }, [9, 9, 9]), 'public', closesAtMs);
  expect(view).toMatchObject({ state: 'final', counts: [4, 3, 2], totalVotes: 9 });
  const hidden = known({ final: aFinal({ counts: null }) }, [9, 9, 9]);
  expect(viewOf(hidden, 'public', closesAtMs)).toMatchObject({ counts: null, totalVotes: 9 });
});

test('a result is being checked from its seal on', () => {
  const sealed = known({ sealed_at_ms: closesAtMs + 5000 }, [1, 1, 1]);
  expect(viewOf(sealed, 'public', closesAtMs + 6000).state).toBe('sealed');
});

test('totals that hold are stale, a final result never is', () => {
  const stale = (changes: Parameters<typeof aSession>[0]) =>
    viewOf({ ...known(changes, [1, 1, 1]), staleSinceMs: 5 }, 'public', closesAtMs).isStale;
  expect(stale({})).toBe(true);
  expect(stale({ final: aFinal() })).toBe(false);
});

test('there is one count per option, whatever the totals hold', () => {
  expect(viewOf(known({}, [7]), 'public', opensAtMs).counts).toEqual([7, 0, 0]);
  expect(viewOf(known({}, [1, 2, 3, 4]), 'public', opensAtMs).counts).toEqual([1, 2, 3]);
});

test('percentages have two decimals, lie within 0 and 100 and add up to about 100', () => {
  const counts = fc.array(fc.integer({ min: 0, max: 300_000_000 }), {
    minLength: 1,
    maxLength: 100,
  });
  fc.assert(
    fc.property(counts, (some) => {
      const shares = percentagesOf(some);
      let sum = 0;
      for (const share of shares) {
        expect(share).toBeGreaterThanOrEqual(0);
        expect(share).toBeLessThanOrEqual(100);
        expect(String(share)).toMatch(/^\d{1,3}(\.\d{1,2})?$/);
        sum += share;
      }
      if (some.some((count) => count > 0)) {
        expect(Math.abs(sum - 100)).toBeLessThanOrEqual(0.005 * some.length + 1e-6);
      } else expect(sum).toBe(0);
    }),
  );
});

/**
 * Attack: a reader of hidden results tells the counts from anything that is sent while they are.
 */
test('while counts are hidden, no byte of any format depends on them', () => {
  const split = fc.tuple(fc.nat(1000), fc.nat(1000), fc.nat(1000));
  const policy = fc.constantFrom(...resultsPolicies.filter((one) => one !== 'live'));
  const form = fc.record({
    format: fc.constantFrom('tick' as const, 'vote_update' as const),
    withCovers: fc.boolean(),
  });
  fc.assert(
    fc.property(policy, split, split, form, (results_policy, before, after, wanted) => {
      const nowMs = closesAtMs - 1;
      const session = aSession({ results_policy });
      const sent = (from: number[], to: number[]): (string | undefined)[] => {
        const common = { epoch: 1, total_votes: 3000 };
        const at = (offset: number, counts: number[]): Known => ({
          session,
          totals: totalsAt(offset, counts, common),
          heardAtMs: 0,
          staleSinceMs: null,
          revision: offset,
        });
        const previous = viewOf(at(1, from), 'public', nowMs);
        const next = viewOf(at(2, to), 'public', nowMs);
        expect(needsSnapshot(previous, next)).toBe(false);
        return [
          encodeSnapshot(next).kept.body.toString(),
          encodeSnapshot(next).kept.event.framed.toString(),
          encodeChange(previous, next, wanted),
        ];
      };
      expect(sent(before, after)).toEqual(sent([0, 0, 0], [0, 0, 0]));
    }),
  );
});
