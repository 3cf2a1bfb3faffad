import { Client } from 'pg';
import type { Balance } from './balance.ts';
import type { Gauge } from './gauge.ts';

/** One of the questions a run must answer with yes; `text` says what was compared. */
export interface Check {
  readonly name: 'voters' | 'recorded' | 'counted' | 'balance';
  readonly ok: boolean;
  readonly text: string;
}

/** What Postgres says of a run's voters. */
export interface Recorded {
  /** Vote ids with a row that counts. */
  readonly counted: ReadonlySet<string>;
  /** Vote ids that are listed as late or quarantined. */
  readonly listed: ReadonlySet<string>;
}

const idsAtOnce = 10_000;

/** Looks up the vote ids of a session in the tables that say how a vote ended. */
export async function readRecorded(
  postgresUrl: string,
  sessionId: string,
  voteIds: readonly string[],
): Promise<Recorded> {
  const client = new Client({ connectionString: postgresUrl, connectionTimeoutMillis: 5_000 });
  await client.connect();
  try {
    const counted = new Set<string>();
    const listed = new Set<string>();
    for (let from = 0; from < voteIds.length; from += idsAtOnce) {
      const ids = voteIds.slice(from, from + idsAtOnce);
      const { rows } = await client.query<{ vote_id: string; is_counted: boolean }>(lookUp, [
        sessionId,
        ids,
      ]);
      for (const row of rows) (row.is_counted ? counted : listed).add(row.vote_id);
    }
    return { counted, listed };
  } finally {
    await client.end();
  }
}

const lookUp = `
  WITH session AS (SELECT session_no, session_id FROM votes.voting_sessions WHERE session_id = $1)
  SELECT vote_id, true AS is_counted
  FROM votes.votes JOIN session USING (session_no) WHERE vote_id = ANY ($2::uuid[])
  UNION ALL
  SELECT vote_id, false
  FROM votes.late_votes JOIN session USING (session_no) WHERE vote_id = ANY ($2::uuid[])
  UNION ALL
  SELECT vote_id, false
  FROM votes.quarantined_records JOIN session USING (session_id) WHERE vote_id = ANY ($2::uuid[])`;

/** Compares what the crowd was told with what is recorded. */
export function checkRun(gauge: Gauge, recorded: Recorded, balance: Balance | undefined): Check[] {
  const { accepted, refused, unknown } = gauge;
  const voters = gauge.voters.length;
  const missing = gauge.acceptedIds.filter(
    (id) => !recorded.counted.has(id) && !recorded.listed.has(id),
  );
  const counted = gauge.voters.filter((id) => recorded.counted.has(id)).length;
  const example = missing[0] === undefined ? '' : `, for one ${missing[0]}`;
  const checks: Check[] = [
    {
      name: 'voters',
      ok: voters > 0 && voters === accepted + refused + unknown,
      text: `${voters} voters = ${accepted} accepted + ${refused} refused + ${unknown} unknown`,
    },
    {
      name: 'recorded',
      ok: missing.length === 0,
      text: `${missing.length} of ${accepted} accepted votes have no row and no state${example}`,
    },
    {
      name: 'counted',
      ok: counted <= accepted + unknown,
      text: `${counted} voters counted <= ${accepted} accepted + ${unknown} unknown`,
    },
  ];
  if (balance !== undefined) checks.push(checkBalance(balance, accepted));
  return checks;
}

function checkBalance(balance: Balance, acceptedVoters: number): Check {
  const { accepted, pending, ...ended } = balance;
  const sum = Object.values(ended).reduce((total, records) => total + records, 0);
  return {
    name: 'balance',
    ok: accepted === sum && pending === 0 && accepted >= acceptedVoters,
    text:
      `${accepted} records accepted = ` +
      Object.entries({ ...ended, pending })
        .map(([name, records]) => `${records} ${name}`)
        .join(' + '),
  };
}
