import { expect, test } from 'vitest';
import type { PartitionBatch } from '#common/log-reader.ts';
import {
  decodeRecords,
  SparseBatchError,
  toCountBatch,
} from '../../../regional-core/ledger/batch.ts';
import { createBallot, createRecord, createSigningKey } from '../../support/votes.ts';

const key = createSigningKey();
const [one, two] = ['0190a0de-7b7c-7cc0-8000-000000000001', '0190a0de-7b7c-7cc0-8000-000000000002'];
const record = (sessionId: string, offset: number) => ({
  offset,
  ...createRecord(key, createBallot(sessionId), 2, 1_800_000_000_000),
});
const part = (partition: number, from: number, records: PartitionBatch['records']) => ({
  partition,
  from,
  next: from + records.length,
  logEnd: 100,
  records,
});

test('puts partitions in order, names each session once, and keeps unreadable records whole', () => {
  const junk = { offset: 8, key: Buffer.from('?'), value: Buffer.from('junk') };
  const batch = toCountBatch(
    decodeRecords([
      part(9, 7, [record(two, 7), junk]),
      part(1, 0, [record(one, 0), record(two, 1)]),
    ]),
  );
  expect(batch.partitions).toEqual({
    partition: [1, 9],
    from: [0, 7],
    next: [2, 9],
    logEnd: [100, 100],
  });
  expect(batch.sessions).toEqual([one, two]);
  expect(batch.votes).toMatchObject({
    sessionAt: [1, 2, 2],
    optionNo: [2, 2, 2],
    partition: [1, 1, 9],
    offset: [0, 1, 7],
  });
  expect(batch.unreadable).toMatchObject({
    sessionId: [null],
    partition: [9],
    offset: [8],
    reason: ['key is not a session id'],
    key: [Buffer.from('?')],
    value: [Buffer.from('junk')],
  });
});

test('a hole, a repetition or a short end is an error, never a lost vote', () => {
  expect(() => decodeRecords([part(0, 0, [record(one, 0), record(one, 2)])])).toThrow(
    'partition 0: expected offset 1, read 2',
  );
  expect(() => decodeRecords([part(0, 5, [record(one, 4)])])).toThrow(SparseBatchError);
  expect(() => decodeRecords([{ ...part(0, 0, [record(one, 0)]), next: 3 }])).toThrow(
    'partition 0: expected offset 1, read 3',
  );
});
