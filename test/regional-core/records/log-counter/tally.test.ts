import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { voteRecordKey } from '#common/contracts/vote-submitted.ts';
import type { PartitionBatch } from '#common/log-reader.ts';
import { noSession, Tally } from '../../../../regional-core/records/log-counter/tally.ts';

const sessions = ['3b241101-e2bb-4255-8caf-4136c566a962', '9d2cbd4e-94a3-4a5b-8a29-11b1c1c0f001'];

function batch(partition: number, from: number, keys: readonly (Buffer | null)[]): PartitionBatch {
  const records = keys.map((key, index) => ({ offset: from + index, key, value: null }));
  return { partition, from, next: from + keys.length, logEnd: 1000, records };
}

test('counts each record once, whatever the batches it comes in', () => {
  const key = fc.constantFrom(...sessions.map(voteRecordKey), null, Buffer.from('short'));
  const partition = fc.record({ keys: fc.array(key), cut: fc.nat(50) });
  fc.assert(
    fc.property(fc.array(partition, { maxLength: 4 }), (partitions) => {
      const tally = new Tally();
      for (const [number, { keys, cut }] of partitions.entries()) {
        const at = Math.min(cut, keys.length);
        tally.add(batch(number, 10, keys.slice(0, at)));
        tally.add(batch(number, 10 + at, keys.slice(at)));
      }
      const counts = tally.takeAll();
      expect(counts.map(({ partition: number }) => number)).toEqual([...partitions.keys()]);
      for (const [number, { keys }] of partitions.entries()) {
        const { from, next, sessions: counted } = counts[number]!;
        expect([from, next]).toEqual([10, 10 + keys.length]);
        for (const session of sessions) {
          const expected = keys.filter((each) => each?.equals(voteRecordKey(session))).length;
          expect(counted.get(session)?.accepted ?? 0).toBe(expected);
        }
        const all = [...counted.values()].reduce((sum, { accepted }) => sum + accepted, 0);
        expect(all).toBe(keys.length);
      }
    }),
  );
});

test('puts records without a session to an account of their own', () => {
  const tally = new Tally();
  tally.add(batch(0, 0, [null, Buffer.from('x'), voteRecordKey(sessions[0]!)]));
  expect(tally.takeAll()[0]?.sessions).toEqual(
    new Map([
      [noSession, { accepted: 2, control: 0 }],
      [sessions[0], { accepted: 1, control: 0 }],
    ]),
  );
});

test('starts anew after it was taken', () => {
  const tally = new Tally();
  tally.add(batch(0, 0, [null]));
  tally.takeAll();
  expect(tally.takeAll()).toEqual([]);
});

test('refuses a batch that does not follow, or that lacks records', () => {
  const tally = new Tally();
  tally.add(batch(0, 0, [null]));
  expect(() => tally.add(batch(0, 2, [null]))).toThrow(RangeError);
  expect(() => tally.add({ ...batch(1, 0, [null]), next: 2 })).toThrow(RangeError);
});

test('tells seals and final statements from votes by what they say they are', () => {
  const tally = new Tally();
  const key = voteRecordKey(sessions[0]!);
  const values = [Buffer.of(1), Buffer.of(2, 9), Buffer.of(3), Buffer.alloc(0), null];
  const records = values.map((value, offset) => ({ offset, key, value }));
  tally.add({ partition: 0, from: 0, next: 5, logEnd: 5, records });
  expect(tally.takeAll()[0]?.sessions).toEqual(
    new Map([[sessions[0], { accepted: 3, control: 2 }]]),
  );
});
