import { randomUUID } from 'node:crypto';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { recount } from '../../../regional-core/ledger/sql/recount.ts';
import { createTestDatabase } from '../../support/database.ts';
import { createBallot, createSession } from '../../support/votes.ts';
import {
  differences,
  LogOfVotes,
  type Sent,
  sealOf,
  settleSessions,
  voteOf,
} from './log-of-votes.ts';

const database = await createTestDatabase();
const [ledger, admin] = [database.pool('ledger', 4), database.pool('postgres', 4)];

const partitions = 3;
const logs = [
  await LogOfVotes.open(ledger, 'us-east-1', partitions),
  await LogOfVotes.open(ledger, 'us-west-2', partitions),
];
const voters = Array.from({ length: 6 }, () => createBallot(randomUUID()).vote_id);
const closesAtMs = Date.now() - 60_000;

/** A vote that was accepted: who, what, how many ms before closing. */
const accepted = fc.record({
  voter: fc.nat({ max: voters.length - 1 }),
  option: fc.nat({ max: 2 }),
  beforeMs: fc.nat({ max: 4 }),
});
/** How the same votes come to lie: where each, how often, in which order, in what batches. */
const layout = fc.record({
  places: fc.array(fc.nat({ max: 2 * partitions - 1 }), { minLength: 24, maxLength: 24 }),
  copies: fc.array(fc.integer({ min: 1, max: 3 }), { minLength: 24, maxLength: 24 }),
  order: fc.array(fc.nat(), { minLength: 72, maxLength: 72 }),
  batch: fc.integer({ min: 1, max: 9 }),
});
type Accepted = typeof accepted extends fc.Arbitrary<infer T> ? T : never;
type Layout = typeof layout extends fc.Arbitrary<infer T> ? T : never;

/** Counts the votes as they lie, seals, settles, and gives what the session ended in. */
async function outcome(votes: readonly Accepted[], { places, copies, order, batch }: Layout) {
  const session = await createSession(admin);
  await admin.query(
    'UPDATE votes.voting_sessions SET opens_at = $2, closes_at = $3 WHERE session_no = $1',
    [session.sessionNo, new Date(closesAtMs - 60_000), new Date(closesAtMs)],
  );
  const sent = votes
    .flatMap((vote, at) =>
      Array.from({ length: copies[at]! }, () => ({ vote, place: places[at]! })),
    )
    .map((entry, at) => ({ ...entry, rank: order[at]! }))
    .toSorted((a, b) => a.rank - b.rank);
  for (let at = 0; at < sent.length; at += batch) {
    for (const [number, of] of logs.entries()) {
      const parts = new Map<number, Sent[]>();
      for (const { vote, place } of sent.slice(at, at + batch)) {
        if (place % 2 !== number) continue;
        const record = voteOf(
          session.sessionId,
          voters[vote.voter]!,
          vote.option,
          closesAtMs - vote.beforeMs,
        );
        const partition = Math.floor(place / 2);
        parts.set(partition, [...(parts.get(partition) ?? []), record]);
      }
      if (parts.size > 0) await of.count([...parts].map(([partition, own]) => [partition, ...own]));
    }
  }
  for (const of of logs) {
    for (let partition = 0; partition < partitions; partition++) {
      await of.count([[partition, sealOf(session.sessionId, of.name, partition, closesAtMs)]]);
    }
  }
  expect(await settleSessions(ledger)).toEqual([session.sessionId]);
  expect(await differences(admin)).toEqual([]);
  const { digest, rows, tallies } = await recount(
    ledger,
    session.sessionNo,
    new AbortController().signal,
  );
  expect(tallies).toEqual(rows);
  return { digest, rows };
}

/** What the rule says: the smallest (accepted_at, option_id) of each voter. */
function expected(votes: readonly Accepted[]): number[] {
  const best = new Map<number, Accepted>();
  for (const vote of votes) {
    const held = best.get(vote.voter);
    const isBefore =
      held === undefined ||
      vote.beforeMs > held.beforeMs ||
      (vote.beforeMs === held.beforeMs && vote.option < held.option);
    if (isBefore) best.set(vote.voter, vote);
  }
  const counts = [0, 0, 0];
  for (const { option } of best.values()) counts[option]!++;
  return counts;
}

test('the result depends on the accepted votes alone, not on order, copies or batches', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(accepted, { minLength: 1, maxLength: 24 }),
      layout,
      layout,
      async (votes, one, other) => {
        const first = await outcome(votes, one);
        expect(first.rows).toEqual(expected(votes));
        expect(await outcome(votes, other)).toEqual(first);
      },
    ),
    { numRuns: 15 },
  );
}, 120_000);
