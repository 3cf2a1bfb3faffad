import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { compareBalance } from '../../../../regional-core/records/balance/balance.ts';
import type { BalanceRow } from '../../../../regional-core/records/sql/read-balance.ts';

const few = fc.nat(50);
const judgedRow = fc.record({
  counted: few,
  duplicate: few,
  replayed: few,
  late: few,
  quarantined: few,
  unread: few,
});

type JudgedRow = typeof judgedRow extends fc.Arbitrary<infer T> ? T : never;

/** A partition whose ledger has read all but `unread` records, which the log counter has seen. */
function rowOf({ unread, ...ends }: JudgedRow, partition: number): BalanceRow {
  const judged = Object.values(ends).reduce((sum, records) => sum + records, 0);
  return {
    session_id: '3b241101-e2bb-4255-8caf-4136c566a962',
    region: 'us-east-1',
    partition,
    ledger_next: judged,
    log_next: judged + unread,
    accepted: judged + unread,
    is_live: true,
    log_control: 0,
    control: 0,
    checked_off: 0,
    void: 0,
    ...ends,
  };
}

test('adds up, pending being what the ledger has not read', () => {
  fc.assert(
    fc.property(fc.array(judgedRow), (partitions) => {
      const { balance, isComparable, off } = compareBalance(partitions.map(rowOf));
      const { accepted, ...ends } = balance;
      expect(Object.values(ends).reduce((sum, records) => sum + records, 0)).toBe(accepted);
      expect(balance.pending).toBe(partitions.reduce((sum, { unread }) => sum + unread, 0));
      expect([isComparable, off]).toEqual([true, 0]);
    }),
  );
});

test('cannot be compared while the ledger is ahead of the log counter', () => {
  const row = { ...rowOf({ ...none, counted: 5 }, 0), log_next: 3, accepted: 3 };
  expect(compareBalance([row]).isComparable).toBe(false);
});

test('is off by each record that has no verdict at equal offsets, and by each one too many', () => {
  const even = rowOf({ ...none, counted: 5 }, 0);
  expect(compareBalance([{ ...even, counted: 3 }]).off).toBe(2);
  expect(compareBalance([{ ...even, counted: 6 }]).off).toBe(1);
  const ahead = rowOf({ ...none, counted: 5, unread: 4 }, 0);
  expect(compareBalance([{ ...ahead, counted: 10 }]).off).toBe(1);
});

test('what one partition has too few does not hide what another has too many', () => {
  const first = { ...rowOf({ ...none, counted: 5 }, 0), counted: 4 };
  const second = { ...rowOf({ ...none, counted: 5 }, 1), counted: 6 };
  expect(compareBalance([first, second]).off).toBe(2);
});

const none = { counted: 0, duplicate: 0, replayed: 0, late: 0, quarantined: 0, unread: 0 };

test('seals are no votes, and a forged one is a quarantined record', () => {
  const even = rowOf({ ...none, counted: 5 }, 0);
  const sealed = { ...even, ledger_next: 6, log_next: 6, log_control: 1, control: 1 };
  expect(compareBalance([sealed])).toMatchObject({ balance: { accepted: 5 }, control: 1, off: 0 });
  const forged = { ...sealed, control: 0, quarantined: 1 };
  expect(compareBalance([forged])).toMatchObject({
    balance: { accepted: 6, quarantined: 1, pending: 0 },
    off: 0,
  });
  const behind = { ...even, log_next: 6, log_control: 1 };
  expect(compareBalance([behind])).toMatchObject({ balance: { accepted: 5, pending: 0 }, off: 0 });
});

test('votes taken out are taken from what counts, once for the session', () => {
  const rows = [0, 1].map((partition) => ({
    ...rowOf({ ...none, counted: 5 }, partition),
    void: 3,
  }));
  expect(compareBalance(rows).balance).toMatchObject({ accepted: 10, counted: 7, void: 3 });
});

test('a difference found where both readers stood once is not forgotten, nor counted twice', () => {
  const ahead = { ...rowOf({ ...none, counted: 5, unread: 4 }, 0), checked_off: 2 };
  expect(compareBalance([ahead]).off).toBe(2);
  const even = { ...rowOf({ ...none, counted: 5 }, 0), counted: 3, checked_off: 2 };
  expect(compareBalance([even]).off).toBe(2);
  expect(compareBalance([{ ...ahead, checked_off: -1 }]).off).toBe(1);
});

test('of a lost log only what was read is part of the session', () => {
  const lost = { ...rowOf({ ...none, counted: 5, unread: 4 }, 0), is_live: false };
  expect(compareBalance([lost])).toMatchObject({
    balance: { accepted: 5, counted: 5, pending: 0 },
    unread: 4,
    isComparable: true,
    off: 0,
  });
  // The counter may have been behind when the region was lost: that is no trouble any more.
  const behind = { ...lost, log_next: 3, accepted: 3 };
  expect(compareBalance([behind])).toMatchObject({ unread: 0, isComparable: true, off: 0 });
});
