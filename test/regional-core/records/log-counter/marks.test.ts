import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { voteRecordKey } from '#common/contracts/vote-submitted.ts';
import type { PartitionBatch } from '#common/log-reader.ts';
import {
  checkMarks,
  cutBatch,
  marksOf,
} from '../../../../regional-core/records/log-counter/marks.ts';
import { Tally } from '../../../../regional-core/records/log-counter/tally.ts';
import type { MarkRow } from '../../../../regional-core/records/sql/read-marks.ts';

const session_id = '3b241101-e2bb-4255-8caf-4136c566a962';

function batch(from: number, next: number): PartitionBatch {
  const key = voteRecordKey(session_id);
  const records = Array.from({ length: next - from }, (_, at) => ({
    offset: from + at,
    key,
    value: null,
  }));
  return { partition: 0, from, next, logEnd: next, records };
}

const row = (changes: Partial<MarkRow> = {}): MarkRow => ({
  partition: 0,
  session_id,
  log_next: 10,
  ledger_next: 20,
  held: 10,
  judged: 20,
  ...changes,
});

test('a batch is cut at an offset, and nothing of it is lost or doubled', () => {
  fc.assert(
    fc.property(fc.nat(20), fc.nat(20), fc.nat(50), (from, length, at) => {
      const whole = batch(from, from + length);
      const [before, behind] = cutBatch(whole, at);
      const records = [...(before?.records ?? []), ...(behind?.records ?? [])];
      expect(records).toEqual(whole.records);
      expect(before?.records.every(({ offset }) => offset < at) ?? true).toBe(true);
      expect(behind?.records.every(({ offset }) => offset >= at) ?? true).toBe(true);
      const tally = new Tally();
      for (const part of [before, behind]) if (part !== undefined) tally.add(part);
      expect(tally.takeAll()[0]?.next ?? from).toBe(whole.next);
    }),
  );
});

describe('marks', () => {
  test('are where the ledger stands, in partitions that it has read as far as we have', () => {
    const rows = [row(), row({ partition: 1, ledger_next: 9 }), row({ partition: 2 })];
    const positions = new Map([
      [0, 10],
      [1, 10],
    ]);
    expect(marksOf(rows, positions)).toEqual(
      new Map([[0, { next: 20, sessions: new Map([[session_id, { held: 10, judged: 20 }]]) }]]),
    );
  });

  test('are none when another process has counted meanwhile', () => {
    expect(marksOf([row({ log_next: 11 })], new Map([[0, 10]]))).toBeUndefined();
  });

  test.each([
    ['equal', 20, 0],
    ['one record without a verdict', 19, 1],
    ['one verdict without a record', 21, -1],
  ])('%s', (_, judged, off) => {
    const marks = marksOf([row({ judged })], new Map([[0, 10]]))!;
    const tally = new Tally();
    tally.add(batch(10, 20));
    expect(checkMarks(marks, tally.takeAll())).toEqual([
      { sessionId: session_id, partition: 0, next: 20, off },
    ]);
  });

  test('compare what was held before when nothing came since', () => {
    const marks = marksOf([row({ ledger_next: 10, judged: 9 })], new Map([[0, 10]]))!;
    expect(checkMarks(marks, [])).toEqual([
      { sessionId: session_id, partition: 0, next: 10, off: 1 },
    ]);
  });
});
