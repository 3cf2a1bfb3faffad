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
