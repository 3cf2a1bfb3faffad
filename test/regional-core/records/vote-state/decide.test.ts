import { createSecretKey, randomBytes } from 'node:crypto';
import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { normalizeBase32 } from '#common/base32.ts';
import { confirm } from '#common/confirmation.ts';
import type { Receipt } from '#common/contracts/receipt.ts';
import type { VoteStateRow } from '../../../../regional-core/records/sql/read-vote-state.ts';
import type { VoteState } from '../../../../regional-core/records/vote-state/contract.ts';
import {
  type Asker,
  decideVoteState,
  type Question,
} from '../../../../regional-core/records/vote-state/decide.ts';

const key = createSecretKey(randomBytes(32));
const voteId = '0d1f6c1e-8f3a-8abc-9def-0123456789ab';
const sessionId = '3b241101-e2bb-4255-8caf-4136c566a962';
const asOf = new Date('2030-01-01T00:00:10.000Z');
const place = { region: 'us-east-1', partition: 1, offset: 7 };

const receipt: Receipt = {
  vote_id: voteId,
  session_id: sessionId,
  commitment: confirm(key, voteId, 2).commitment,
  accepted_at: '2030-01-01T00:00:00.000Z',
  durability: 'single',
  ...place,
};
const owner: Asker = { kind: 'owner', receipt: undefined };
const holder: Asker = { kind: 'receipt', receipt };

function row(changes: Partial<VoteStateRow> = {}): VoteStateRow {
  return {
    session_id: sessionId,
    option_no: null,
    accepted_at: null,
    counted_at: null,
    late_option_no: null,
    late_accepted_at: null,
    lost_option_nos: [],
    quarantined: false,
    is_void: false,
    is_lost: false,
    copies_read: null,
    covers: { 'us-east-1': [0, 7] },
    as_of: asOf,
    ...changes,
  };
}

const countedRow = row({
  option_no: 2,
  accepted_at: new Date('2030-01-01T00:00:00.000Z'),
  counted_at: new Date('2030-01-01T00:00:00.060Z'),
});

function decide(asker: Asker, from: VoteStateRow, changes: Partial<Question> = {}) {
  const at = asker.kind === 'receipt' ? asker.receipt : undefined;
  return decideVoteState({ voteId, sessionId, asker, place: at, ...changes }, from, key);
}

function codeOf(optionNo: number): Asker {
  return { kind: 'code', code: normalizeBase32(confirm(key, voteId, optionNo).code)! };
}

const state = {
  vote_id: voteId,
  session_id: sessionId,
  as_of: '2030-01-01T00:00:10.000Z',
  covers: { 'us-east-1': [0, 7] },
};
const counted = {
  ...state,
  status: 'counted',
  accepted_at: '2030-01-01T00:00:00.000Z',
  counted_at: '2030-01-01T00:00:00.060Z',
};

describe('a vote that counts', () => {
  test('gives the voter the code of the row that counts', () => {
    const code = confirm(key, voteId, 2).code;
    expect(decide(owner, countedRow)).toEqual({ ...counted, confirmation_code: code });
  });

  test('tells the holder of a receipt whether it counts as cast, and no code', () => {
    expect(decide(holder, countedRow)).toEqual({ ...counted, as_cast: true });
    expect(decide(holder, { ...countedRow, option_no: 1 })).toEqual({ ...counted, as_cast: false });
  });

  test('tells the holder of its code that it counts as cast', () => {
    expect(decide(codeOf(2), countedRow)).toEqual({ ...counted, as_cast: true });
  });

  test('tells the holder of a code that lost to an earlier choice so', () => {
    const from = { ...countedRow, lost_option_nos: [0, 1] };
    expect(decide(codeOf(1), from)).toEqual({ ...counted, as_cast: false });
  });

  test('is not there for any other code', () => {
    fc.assert(
      fc.property(fc.stringMatching(/^[0-9A-HJKMNP-TV-Z]{10}$/), (code) => {
        expect(decide({ kind: 'code', code }, countedRow)).toBe('not_found');
      }),
    );
    expect(decide(codeOf(1), countedRow)).toBe('not_found');
  });
});

describe('a vote without a row', () => {
  test('is accepted while the ledger has not read its place', () => {
    expect(decide(holder, row())).toEqual({
      ...state,
      status: 'accepted',
      as_cast: null,
      accepted_at: receipt.accepted_at,
      counted_at: null,
    });
    expect(decide(owner, row(), { place })).toMatchObject({
      status: 'accepted',
      confirmation_code: null,
      accepted_at: null,
    });
  });

  test('is missing when a signed receipt names a place that was read', () => {
    const read = row({ covers: { 'us-east-1': [0, 8] } });
    expect(decide(holder, read)).toBe('missing');
    expect(decide({ kind: 'owner', receipt }, read, { place: receipt })).toBe('missing');
  });

  test('is only not recorded when an unsigned place was read', () => {
    const read = row({ covers: { 'us-east-1': [0, 8] } });
    expect(decide(owner, read, { place })).toBe('not_recorded_yet');
  });

  test('is not recorded without a place, nor for a code', () => {
    expect(decide(owner, row())).toBe('not_recorded_yet');
    expect(decide(codeOf(2), row(), { place })).toBe('not_recorded_yet');
  });

  test('counts a region that no ledger has read as unread', () => {
    expect(decide(holder, row({ covers: {} }))).toMatchObject({ status: 'accepted' });
  });
});

describe('a vote that came too late', () => {
  const late = row({ late_option_no: 1, late_accepted_at: new Date('2030-01-01T00:00:05.000Z') });

  test('is listed as late for the voter', () => {
    expect(decide(owner, late)).toEqual({
      ...state,
      status: 'late',
      confirmation_code: null,
      accepted_at: '2030-01-01T00:00:05.000Z',
      counted_at: null,
    });
  });

  test('is there for its own code and for no other', () => {
    expect(decide(codeOf(1), late)).toMatchObject({ status: 'late', as_cast: null });
    expect(decide(codeOf(2), late)).toBe('not_found');
  });

  test('does not hide the row that counts', () => {
    const both = { ...countedRow, late_option_no: 1 };
    expect(decide(owner, both)).toMatchObject({ status: 'counted' });
  });
});

test('a record under review is quarantined, even where its place was read', () => {
  const read = row({ quarantined: true, covers: { 'us-east-1': [0, 8] } });
  expect(decide(holder, read)).toMatchObject({ status: 'quarantined', as_cast: null });
  expect(decide(owner, read)).toMatchObject({ status: 'quarantined', confirmation_code: null });
});

describe('a vote that two people took out', () => {
  const taken = { ...countedRow, is_void: true };
  test.each<[string, Asker, object]>([
    ['its owner', owner, { confirmation_code: null }],
    ['who holds its receipt', holder, { as_cast: null }],
    ['who has its code', codeOf(2), { as_cast: null }],
  ])('is void for %s, with the times at which it was counted', (_, asker, further) => {
    const { accepted_at, counted_at } = decide(asker, countedRow) as VoteState;
    const expected = { status: 'void', accepted_at, counted_at, ...further };
    expect(decide(asker, taken)).toMatchObject(expected);
  });

  test('is no more told to a stranger than before', () => {
    expect(decide(codeOf(0), taken)).toBe('not_found');
  });
});

describe('a receipt of a region that was declared lost, for a record that was never read', () => {
  const behind = row({ is_lost: true, covers: { 'us-east-1': [0, 7] } });
  const promised: Asker = { kind: 'receipt', receipt: { ...receipt, durability: 'two-regions' } };

  test('is accepted while copies are still read', () => {
    for (const asker of [holder, promised]) {
      expect(decide(asker, { ...behind, copies_read: false })).toMatchObject({
        status: 'accepted',
      });
    }
  });

  test.each([true, null])('says that it was lost with the region, copies read: %s', (read) => {
    expect(decide(holder, { ...behind, copies_read: read })).toBe('region_lost');
    expect(decide(owner, { ...behind, copies_read: read }, { place })).toBe('region_lost');
  });

  test('is an alarm when it promised a copy', () => {
    expect(decide(promised, { ...behind, copies_read: true })).toBe('missing');
    expect(decide(promised, { ...behind, copies_read: null })).toBe('missing');
  });

  test('is counted when a copy of it was', () => {
    const copied = { ...countedRow, is_lost: true, copies_read: true };
    expect(decide(promised, copied)).toMatchObject({ status: 'counted', as_cast: true });
  });

  test('is what it was when its record had been read before', () => {
    const read = { ...behind, covers: { 'us-east-1': [0, 8] } };
    expect(decide(holder, read)).toBe('missing');
  });
});
