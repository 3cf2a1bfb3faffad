import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { isNewerTotals, ResultsState } from '../../../regional-core/results/state.ts';
import { aFinal, aSession, sessionId, totalsAt } from './harness.ts';

const held = (state: ResultsState) => state.get(sessionId);

test('totals and sessions may come in any order', () => {
  const state = new ResultsState();
  expect(state.takeTotals(totalsAt(3, [1, 1, 1]))).toBe(true);
  expect(held(state)).toBeUndefined();
  expect(state.takeSession(aSession(), 10)).toBe(true);
  expect(held(state)).toMatchObject({ totals: { total_votes: 3 }, heardAtMs: 10, revision: 1 });
});

test('a session is replaced by a higher epoch or version only, and keeps its totals', () => {
  const state = new ResultsState();
  state.takeSession(aSession({ version: 2 }), 1);
  state.takeTotals(totalsAt(3, [3, 0, 0]));
  expect(state.takeSession(aSession({ version: 2, title: 'again' }), 2)).toBe(false);
  expect(state.takeSession(aSession({ version: 1, title: 'older' }), 2)).toBe(false);
  expect(state.takeSession(aSession({ version: 1, epoch: 2, title: 'moved' }), 2)).toBe(true);
  expect(held(state)).toMatchObject({ session: { title: 'moved' }, heardAtMs: 1 });
  expect(held(state)?.totals?.total_votes).toBe(3);
});

test('a final result stays what it was first, whatever version comes after it', () => {
  const state = new ResultsState();
  const final = aFinal();
  state.takeSession(aSession({ version: 3, final }), 1);
  state.takeSession(aSession({ version: 4, final: aFinal({ digest: 'e'.repeat(64) }) }), 2);
  expect(held(state)?.session).toMatchObject({ version: 4, final });
  state.takeSession(aSession({ version: 5, final: null }), 3);
  expect(held(state)?.session).toMatchObject({ version: 5, final });
});

test('counts of a final result appear with its release, in the same version or a later one', () => {
  const state = new ResultsState();
  const hidden = aFinal({ counts: null });
  state.takeSession(aSession({ version: 3, final: hidden }), 1);
  expect(state.takeSession(aSession({ version: 3, final: hidden }), 1)).toBe(false);
  expect(state.takeSession(aSession({ version: 3, final: aFinal() }), 2)).toBe(true);
  expect(held(state)?.session.final?.counts).toEqual([4, 3, 2]);
  expect(state.takeSession(aSession({ version: 2, final: hidden }), 3)).toBe(false);
  expect(held(state)?.session.final?.counts).toEqual([4, 3, 2]);
});

test('the word that totals hold is kept for sessions that come later, too', () => {
  const state = new ResultsState();
  state.takeSession(aSession(), 1);
  expect(state.takeStale(500)).toEqual([sessionId]);
  expect(state.takeStale(500)).toEqual([]);
  expect(held(state)).toMatchObject({ staleSinceMs: 500, revision: 2 });
  state.takeSession(aSession({ version: 2 }), 2);
  expect(held(state)?.staleSinceMs).toBe(500);
  state.takeStale(null);
  expect(held(state)?.staleSinceMs).toBeNull();
});

test('the same sequence replaces only when it says something else, and was read no earlier', () => {
  const hidden = totalsAt(3, null, { at_ms: 100 });
  const shown = totalsAt(3, [1, 1, 1], { at_ms: 200 });
  expect(isNewerTotals(shown, hidden)).toBe(true);
  expect(isNewerTotals(hidden, shown)).toBe(false);
  expect(isNewerTotals({ ...hidden, at_ms: 300 }, hidden)).toBe(false);
});

test('a higher epoch wins over any sequence', () => {
  const before = totalsAt(900, [900, 0, 0]);
  const after = totalsAt(1, [1, 0, 0], { epoch: 2, sequence: 1 });
  expect(isNewerTotals(after, before)).toBe(true);
  expect(isNewerTotals(before, after)).toBe(false);
});

test('whatever the order and the copies, the totals with the highest sequence are held', () => {
  const offsets = fc.array(fc.integer({ min: 0, max: 50 }), { minLength: 1 });
  fc.assert(
    fc.property(offsets, (order) => {
      const state = new ResultsState();
      state.takeSession(aSession(), 0);
      let sequence = 0;
      let { revision } = held(state)!;
      for (const offset of order) {
        const changed = state.takeTotals(totalsAt(offset, [offset, 0, 0]));
        const now = held(state)!;
        expect(now.revision).toBe(changed ? revision + 1 : revision);
        expect(now.totals!.sequence).toBeGreaterThanOrEqual(sequence);
        ({ revision } = now);
        ({ sequence } = now.totals!);
      }
      expect(held(state)!.totals!.counts).toEqual([Math.max(...order), 0, 0]);
    }),
  );
});
