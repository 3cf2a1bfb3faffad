import type { PoolClient } from 'pg';
import type { RecountedSession } from './read-session.ts';

/** Votes per option number, as the live tallies have them. */
export async function readTallies(
  client: PoolClient,
  session: RecountedSession,
): Promise<number[]> {
  const { rows } = await client.query<{ option_no: number; votes: number }>(
    `SELECT option_no, sum(votes)::bigint AS votes FROM votes.tallies
     WHERE session_no = $1 GROUP BY option_no`,
    [session.session_no],
  );
  const counts = session.option_ids.map(() => 0);
  for (const { option_no, votes } of rows) counts[option_no] = votes;
  return counts;
}
