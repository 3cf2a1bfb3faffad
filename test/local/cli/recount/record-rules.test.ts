import { randomUUID } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { importPublicKeys } from '#common/keys.ts';
import { admissibleVote, isBefore } from '../../../../local/cli/recount/record-rules.ts';
import { createBallot, createRecord, createSigningKey } from '../../../support/votes.ts';

const key = createSigningKey();
const stranger = createSigningKey();
const closesAtMs = 1_790_000_000_000;
const rules = { ballotKeys: importPublicKeys([key.publicJwk]), options: 3, closesAtMs };
const ballot = createBallot(randomUUID());

describe('a record may count', () => {
  test('when identity signed its ballot, for each option and up to the closing time', async () => {
    for (const option of [0, 2]) {
      const record = createRecord(key, ballot, option, closesAtMs);
      expect(await admissibleVote(record, rules)).toMatchObject({
        ballot: { vote_id: ballot.vote_id, session_id: ballot.session_id },
        optionNo: option,
        acceptedAtMs: closesAtMs,
      });
    }
  });
});

describe('a record cannot count', () => {
  const good = createRecord(key, ballot, 1, closesAtMs);
  const changed = (at: number) => {
    const value = Buffer.from(good.value);
    value[at]! ^= 1;
    return { ...good, value };
  };
  test.each([
    ['of an option that the session does not have', createRecord(key, ballot, 3, closesAtMs)],
    ['accepted a millisecond after closing', createRecord(key, ballot, 1, closesAtMs + 1)],
    ['by a key that identity never had', createRecord(stranger, ballot, 1, closesAtMs)],
    ['for another voter than was signed', changed(1)],
    ['with another signature', changed(124)],
    ['without a value', { ...good, value: null }],
    ['with half a value', { ...good, value: good.value.subarray(0, 60) }],
    ['moved to another session', { ...good, key: Buffer.alloc(16, 1) }],
    ['whose key is no session', { ...good, key: null }],
  ])('%s', async (_case, record) => {
    expect(await admissibleVote(record, rules)).toBeUndefined();
  });
});

describe("of a voter's votes", () => {
  const optionIds = ['b', 'a', 'B', 'ä', 'z'].map((id) => Buffer.from(id));
  const vote = (optionNo: number, acceptedAtMs: number) => ({ optionNo, acceptedAtMs });

  test('the earlier one counts, whatever its option', () => {
    expect(isBefore(vote(0, 1), vote(1, 2), optionIds)).toBe(true);
    expect(isBefore(vote(1, 2), vote(0, 1), optionIds)).toBe(false);
  });

  test('at the same millisecond the bytes of the option ids decide, not their order', () => {
    const before = (one: number, other: number) =>
      isBefore(vote(one, 1), vote(other, 1), optionIds);
    expect([before(1, 0), before(0, 1)]).toEqual([true, false]);
    // As COLLATE "C" has it: capitals first, letters with marks behind all others.
    expect([before(2, 1), before(4, 3)]).toEqual([true, true]);
  });

  test('a copy of the same vote is not before it', () => {
    expect(isBefore(vote(0, 1), vote(0, 1), optionIds)).toBe(false);
  });
});
