import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { Covers } from '#common/contracts/vote-aggregated.ts';
import type { TotalsRead } from '../../../regional-core/publisher/sql/read-totals.ts';
import { nothingTold } from '../../../regional-core/publisher/told.ts';
import { totalsToPublish } from '../../../regional-core/publisher/totals.ts';
import { sessionMessage } from '../../support/session.ts';

const session = sessionMessage({
  session_no: 7,
  options: ['a', 'b', 'c'].map((option_id) => ({ option_id, label: option_id })),
  opens_at_ms: 1000,
  closes_at_ms: 2000,
});
const sessions = new Map([[7, session]]);
const read: TotalsRead = {
  epoch: 1,
  corrections: 0,
  covers: { here: [5, 3] },
  sessions: [{ sessionNo: 7, counts: { 0: 4, 2: 3 } }],
};

const told = nothingTold;
const totalsOf = (
  given: typeof read,
  known: typeof sessions,
  nowMs: number,
  totals = told.totals,
) => totalsToPublish(given, { ...told, totals }, known, nowMs);

test('gives every option its count, zeros too, with the offsets they stand for', () => {
  expect(totalsOf(read, sessions, 1500)).toEqual([
    {
      v: 1,
      session_id: session.session_id,
      epoch: 1,
      sequence: 2 ** 40 + 8,
      total_votes: 7,
      counts: [4, 0, 3],
      covers: { here: [5, 3] },
      corrections: 0,
      corrected: [],
      at_ms: 1500,
    },
  ]);
});

test('never goes back behind what was told: epoch, any partition, corrections', () => {
  const held = fc.record({
    epoch: fc.nat(2),
    covers: fc.array(fc.nat(9), { minLength: 2, maxLength: 2 }).map((here): Covers => ({ here })),
    corrections: fc.nat(3),
  });
  fc.assert(
    fc.property(held, fc.nat(3), (before, corrections) => {
      const [first, second] = before.covers['here']!;
      const isBehind =
        before.epoch > 1 || first! > 5 || second! > 3 || before.corrections > corrections;
      const messages = totalsOf({ ...read, corrections }, sessions, 1500, before);
      expect(messages === 'behind').toBe(isBehind);
    }),
  );
});

test('the log of a lost region may stay behind what was told of it; no other may', () => {
  const before = { epoch: 1, covers: { here: [5, 3], there: [9, 9] }, corrections: 0 };
  const covers = { here: [5, 3], there: [9, 2] };
  const lost = { ...read, epoch: 2, covers, unread: ['there'] };
  expect(totalsOf(lost, sessions, 1500, before)).toMatchObject([{ epoch: 2, covers }]);
  expect(totalsOf({ ...lost, unread: [] }, sessions, 1500, before)).toBe('behind');
  const here = { ...before, covers: { here: [6, 3] } };
  expect(totalsOf(lost, sessions, 1500, here)).toBe('behind');
});

test('counts that nobody may see do not leave; closing shows them', () => {
  const hidden = new Map([[7, { ...session, results_policy: 'after_close' as const }]]);
  expect(totalsOf(read, hidden, 1500)).toMatchObject([{ counts: null, total_votes: 7 }]);
  expect(totalsOf(read, hidden, 2000)).toMatchObject([{ counts: [4, 0, 3] }]);
});

test('a session that is not known yet is left for the next time', () => {
  expect(totalsOf(read, new Map(), 1500)).toEqual([]);
});

test('a correction raises the sequence, and says what made a count fall', () => {
  const corrected = [{ kind: 'void' as const, at_ms: 1400, moved: 1 }];
  const sessionTotals = { sessionNo: 7, counts: { 0: 4, 2: 2 }, corrected };
  const after = { ...read, corrections: 1, sessions: [sessionTotals] };
  expect(totalsOf(after, sessions, 1500)).toMatchObject([
    { sequence: 2 ** 40 + 9, total_votes: 6, corrections: 1, corrected },
  ]);
});

test('says which server was read, where it tells', () => {
  expect(totalsOf({ ...read, timeline: 3 }, sessions, 1500)).toMatchObject([{ timeline: 3 }]);
  const [silent] = totalsOf({ ...read, timeline: 0 }, sessions, 1500) as object[];
  expect(silent).not.toHaveProperty('timeline');
});

test('of a final session the statement speaks, whatever the tallies say', () => {
  const agreed = { digest: 'd'.repeat(64), total: 9, at_ms: 2100, act_hash: 'a'.repeat(64) };
  const final = new Map([[7, { ...session, final: { ...agreed, counts: [5, 4, 0] } }]]);
  expect(totalsOf(read, final, 2500)).toMatchObject([{ total_votes: 9, counts: [5, 4, 0] }]);
  const hidden = new Map([[7, { ...session, final: { ...agreed, counts: null } }]]);
  expect(totalsOf(read, hidden, 2500)).toMatchObject([{ total_votes: 9, counts: null }]);
});

test('counts beyond 2^31 are exact, and one that would not be is refused', () => {
  const large = (count: number) => ({
    ...read,
    sessions: [{ sessionNo: 7, counts: { 0: count } }],
  });
  expect(totalsOf(large(2 ** 31 + 1), sessions, 1500)).toMatchObject([
    { total_votes: 2 ** 31 + 1, counts: [2 ** 31 + 1, 0, 0] },
  ]);
  expect(totalsOf(large(2 ** 53 - 1), sessions, 1500)).toMatchObject([
    { total_votes: 2 ** 53 - 1 },
  ]);
  expect(() => totalsOf(large(2 ** 53), sessions, 1500)).toThrow(RangeError);
});
