import type { PoolClient } from 'pg';
import type { CountedRow, VoteRange } from './read-rows.ts';

/** What the ledger kept of the records that came from logs which cannot be read any more. */
export async function readFrozen(
  client: PoolClient,
  sessionNo: number,
  regionNos: readonly number[],
  range: VoteRange,
): Promise<CountedRow[]> {
  if (regionNos.length === 0) return [];
  const { rows } = await client.query<CountedRow>(
    `SELECT vote_id, option_no, (extract(epoch FROM accepted_at) * 1000)::bigint AS accepted_at_ms
     FROM (
       SELECT vote_id, option_no, accepted_at FROM votes.votes
       WHERE session_no = $1 AND region_no = ANY ($2) AND vote_id BETWEEN $3 AND $4
       UNION ALL
       SELECT vote_id, option_no, accepted_at FROM votes.vote_conflicts
       WHERE session_no = $1 AND region_no = ANY ($2) AND vote_id BETWEEN $3 AND $4
     ) AS frozen`,
    [sessionNo, regionNos, range.from, range.to],
  );
  return rows;
}
