import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { SessionMessage } from '#common/contracts/session.ts';
import { higherOf } from '../../../regional-core/publisher/read-published.ts';
import { totalsToPublish } from '../../../regional-core/publisher/totals.ts';

const session: SessionMessage = {
  type: 'session',
  v: 1,
  epoch: 1,
  version: 1,
  session_id: '0190a0de-7b7c-7cc0-8000-000000000001',
  session_no: 7,
  title: 'A session',
  options: [
    { option_id: 'a', label: 'A' },
    { option_id: 'b', label: 'B' },
    { option_id: 'c', label: 'C' },
  ],
  opens_at_ms: 1000,
  closes_at_ms: 2000,
  eligibility: ['code'],
  results_policy: 'live',
  released_at_ms: null,
};
const sessions = new Map([[7, session]]);
const read = {
  epoch: 1,
  corrections: 0,
  covers: { here: [5, 3] },
  sessions: [{ sessionNo: 7, counts: { 0: 4, 2: 3 } }],
};

test('gives every option its count, zeros too, with the offsets they stand for', () => {
  expect(totalsToPublish(read, {}, sessions, 1500)).toEqual([
    {
      v: 1,
      session_id: session.session_id,
      epoch: 1,
      sequence: 2 ** 40 + 8,
      total_votes: 7,
      counts: [4, 0, 3],
      covers: { here: [5, 3] },
      at_ms: 1500,
    },
  ]);
});

test('never goes back behind what was published, in any partition', () => {
  fc.assert(
    fc.property(fc.array(fc.nat(9), { minLength: 2, maxLength: 2 }), (published) => {
      const behind = published[0]! > 5 || published[1]! > 3;
      const messages = totalsToPublish(read, { here: published }, sessions, 1500);
      expect(messages === 'behind').toBe(behind);
    }),
  );
});

test('counts that nobody may see do not leave; closing shows them', () => {
  const hidden = new Map([[7, { ...session, results_policy: 'after_close' as const }]]);
  expect(totalsToPublish(read, {}, hidden, 1500)).toMatchObject([{ counts: null, total_votes: 7 }]);
  expect(totalsToPublish(read, {}, hidden, 2000)).toMatchObject([{ counts: [4, 0, 3] }]);
});

test('a session that is not known yet is left for the next time', () => {
  expect(totalsToPublish(read, {}, new Map(), 1500)).toEqual([]);
});

test('of two publishers the higher offsets are what was published', () => {
  expect(higherOf({ a: [1, 5] }, { a: [3, 2, 1], b: [4] })).toEqual({ a: [3, 5, 1], b: [4] });
});
