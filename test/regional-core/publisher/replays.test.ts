import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { Correction, TotalsMessage } from '#common/contracts/vote-aggregated.ts';
import {
  correctedMax,
  newerCounts,
  withReplays,
} from '../../../regional-core/publisher/replays.ts';

function message(counts: number[] | null, changes: Partial<TotalsMessage> = {}): TotalsMessage {
  return {
    v: 1,
    session_id: '6b1c2b0e-7a3d-4c8e-9f7a-2f3f5d0c9a11',
    epoch: 1,
    sequence: 9,
    total_votes: (counts ?? []).reduce((sum, count) => sum + count, 0),
    counts,
    covers: {},
    corrections: 0,
    corrected: [],
    at_ms: 500,
    ...changes,
  };
}

const seal = { kind: 'seal', at_ms: 100, moved: 2 } as const;
const replay = { kind: 'replay', at_ms: 200, moved: 1 } as const;

test('a count that fell where nothing was corrected is listed as a replay', () => {
  const next = withReplays(message([3, 4]), message([5, 2]));
  expect(next.corrected).toEqual([{ kind: 'replay', at_ms: 500, moved: 2 }]);
  expect(next.counts).toEqual([3, 4]);
});

test('nothing is listed where counts rose, and none was told before', () => {
  expect(withReplays(message([5, 3]), message([5, 2])).corrected).toEqual([]);
  expect(withReplays(message([0, 0]), undefined).corrected).toEqual([]);
});

test('what a new correction moved is no replay; what fell beyond it is', () => {
  const told = message([5, 2]);
  expect(withReplays(message([3, 4], { corrected: [seal] }), told).corrected).toEqual([seal]);
  expect(withReplays(message([2, 5], { corrected: [seal] }), told).corrected).toEqual([
    seal,
    { kind: 'replay', at_ms: 500, moved: 1 },
  ]);
});

test.each<[string, Correction[], Correction[]]>([
  ['that was told before', [seal], [seal]],
  ['a seal that a fail-over lost and that was made again', [seal], [{ ...seal, at_ms: 300 }]],
  ['that put votes back', [], [{ kind: 'restore', at_ms: 300, moved: 2 }]],
])('a correction %s explains no fall', (_, before, after) => {
  const next = withReplays(
    message([3, 4], { corrected: after }),
    message([5, 2], { corrected: before }),
  );
  expect(next.corrected).toContainEqual({ kind: 'replay', at_ms: 500, moved: 2 });
});

test('replays stay in every later message, in the order of time', () => {
  const told = message([5, 2], { corrected: [replay] });
  const next = withReplays(message([5, 3], { corrected: [{ ...seal, at_ms: 300 }] }), told);
  expect(next.corrected).toEqual([replay, { ...seal, at_ms: 300 }]);
});

test('of hidden counts only the total can fall', () => {
  expect(withReplays(message([1, 1]), message(null, { total_votes: 2 })).corrected).toEqual([]);
  const fallen = withReplays(message(null, { total_votes: 1 }), message([1, 1]));
  expect(fallen.corrected).toEqual([{ kind: 'replay', at_ms: 500, moved: 1 }]);
});

test('the list is bounded: of more corrections the latest', () => {
  const many = Array.from({ length: correctedMax }, (_, at) => ({ ...replay, at_ms: at }));
  const next = withReplays(message([1]), message([2], { corrected: many }));
  expect(next.corrected).toHaveLength(correctedMax);
  expect(next.corrected!.at(-1)).toMatchObject({ at_ms: 500 });
  expect(next.corrected![0]).toMatchObject({ at_ms: 1 });
});

test('whatever falls from message to message is listed in the last of them', () => {
  const counts = fc.array(fc.nat(9), { minLength: 3, maxLength: 3 });
  fc.assert(
    fc.property(fc.array(counts, { minLength: 1, maxLength: 20 }), (reads) => {
      let told: TotalsMessage | undefined;
      let fallen = 0;
      for (const [at, read] of reads.entries()) {
        const next = withReplays(message(read, { at_ms: at }), told);
        for (const [no, count] of (told?.counts ?? []).entries()) {
          fallen += Math.max(0, count - next.counts![no]!);
        }
        told = next;
      }
      expect(told!.corrected!.reduce((sum, { moved }) => sum + moved, 0)).toBe(fallen);
    }),
  );
});

test('of what two publishers told the newer holds, with the replays of both', () => {
  const older = message([5, 2], { sequence: 8, corrected: [replay] });
  const newer = message([5, 3], { corrected: [{ ...replay, at_ms: 250 }] });
  const both = { counts: [5, 3], corrected: [replay, { ...replay, at_ms: 250 }] };
  expect(newerCounts(older, newer)).toMatchObject(both);
  expect(newerCounts(newer, older)).toMatchObject(both);
  const higher = message([1, 1], { epoch: 2, sequence: 1 });
  expect(newerCounts(higher, newer)).toMatchObject({ counts: [1, 1] });
});
