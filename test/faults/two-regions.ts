// Voters who vote in both regions at the same moment, half of them for different options: each is
// counted once. node test/faults/two-regions.ts, on a stack started with --regions 2

import { Client } from 'pg';
import { type Balance, readBalance } from '../load/balance.ts';
import { openBallots, type Voter } from '../load/ballots.ts';
import { type Cast, castVote } from '../load/cast.ts';
import { readRecorded } from '../load/checks.ts';
import { Connections } from '../load/connections.ts';
import { createSession, type Session } from '../load/session.ts';
import { readTarget, type Target } from '../load/target.ts';

const voters = 1_000;
const openS = 15 * 60;
const atOnce = 20;

interface Pair {
  readonly voter: Voter;
  readonly options: readonly [string, string];
  readonly casts: readonly [Cast, Cast];
}

async function main(): Promise<number> {
  const target = readTarget();
  const [first, second] = target.stack.regions;
  if (first === undefined || second === undefined) {
    throw new Error('This needs two regions. Start them with: npm start -- --regions 2');
  }
  const connections = new Connections(target.port, 64);
  try {
    const session = await createSession(target, openS);
    const { sessionId } = session;
    const ballots = await openBallots(target, connections, sessionId, voters, () => {});
    const pairs = await voteEverywhere(target, connections, session, ballots);
    const balance = await readBalance(sessionId);
    const rows = await readRows(target.stack.postgres, sessionId);
    const ids = ballots.map(({ voteId }) => voteId);
    const { counted } = await readRecorded(target.stack.postgres, sessionId, ids);
    const checks = check(pairs, rows, counted, balance);
    for (const [text, ok] of checks) console.log(`  ${ok ? 'ok    ' : 'FAILED'} ${text}`);
    const failed = checks.filter(([, ok]) => !ok).length;
    console.log(`${checks.length - failed} passed, ${failed} failed`);
    return failed === 0 ? 0 : 1;
  } finally {
    connections.close();
  }
}

/** Every voter sends to both regions in the same turn of the event loop. */
async function voteEverywhere(
  target: Target,
  connections: Connections,
  session: Session,
  ballots: readonly Voter[],
): Promise<Pair[]> {
  const pairs: Pair[] = [];
  let next = 0;
  const work = async (): Promise<void> => {
    while (next < ballots.length) {
      const number = next;
      next += 1;
      const voter = ballots[number]!;
      // Half of them choose otherwise in the second region.
      const choices = [number, number + (number % 2)] as const;
      const [one, two] = await Promise.all(
        target.stack.regions.slice(0, 2).map(({ name }, at) => {
          const here = { ...target, prefixes: [`/r/${name}`] };
          const casting = { target: here, connections, session, onFailure: () => {} };
          return castVote(casting, voter, number * 2 + at, choices[at]!);
        }),
      );
      const ids = session.optionIds;
      const optionOf = (choice: number): string => ids[choice % ids.length]!;
      pairs.push({
        voter,
        options: [optionOf(choices[0]), optionOf(choices[1])],
        casts: [one!, two!],
      });
    }
  };
  await Promise.all(Array.from({ length: atOnce }, work));
  return pairs;
}

interface Rows {
  /** vote id → option that counts. */
  readonly options: ReadonlyMap<string, string>;
  readonly tallied: number;
}

async function readRows(postgresUrl: string, sessionId: string): Promise<Rows> {
  const client = new Client({ connectionString: postgresUrl, connectionTimeoutMillis: 5_000 });
  await client.connect();
  try {
    const votes = await client.query<{ vote_id: string; option_id: string }>(
      `SELECT vote_id, s.options -> v.option_no::int ->> 'option_id' AS option_id
       FROM votes.votes v JOIN votes.voting_sessions s USING (session_no) WHERE s.session_id = $1`,
      [sessionId],
    );
    const tallies = await client.query<{ tallied: string }>(
      `SELECT coalesce(sum(votes), 0) AS tallied
       FROM votes.tallies JOIN votes.voting_sessions USING (session_no) WHERE session_id = $1`,
      [sessionId],
    );
    return {
      options: new Map(votes.rows.map((row) => [row.vote_id, row.option_id])),
      tallied: Number(tallies.rows[0]!.tallied),
    };
  } finally {
    await client.end();
  }
}

function check(
  pairs: readonly Pair[],
  rows: Rows,
  counted: ReadonlySet<string>,
  balance: Balance,
): [string, boolean][] {
  const accepted = pairs.flatMap(({ casts }) => casts).filter(({ body }) => body !== undefined);
  const both = pairs.filter(({ casts }) => casts.every(({ body }) => body !== undefined));
  const oneEach = pairs.filter(({ voter }) => counted.has(voter.voteId));
  const asChosen = pairs.filter(({ voter, options }) => {
    const option = rows.options.get(voter.voteId);
    return option !== undefined && options.includes(option);
  });
  const { accepted: records, pending, ...ended } = balance;
  const sum = Object.values(ended).reduce((total, one) => total + one, 0);
  const { duplicate, replayed } = balance;
  return [
    [`${oneEach.length} of ${pairs.length} voters are counted`, oneEach.length === voters],
    [`${rows.options.size} rows count, and no more`, rows.options.size === voters],
    [`${rows.tallied} votes in the tallies`, rows.tallied === voters],
    [`${asChosen.length} count with an option that they chose`, asChosen.length === voters],
    [`${both.length} voters were accepted in both regions at once`, both.length > 0],
    [
      `${records} records accepted = ${balance.counted} counted + ${duplicate} duplicate + ` +
        `${replayed} replayed + ${pending} pending; ${accepted.length} answers of 201`,
      records === sum && pending === 0 && records >= accepted.length,
    ],
  ];
}

try {
  process.exitCode = await main();
} catch (error) {
  console.error(error instanceof Error ? error.message : String(error));
  process.exitCode = 1;
}
