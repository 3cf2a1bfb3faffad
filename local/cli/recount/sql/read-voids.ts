import type { PoolClient } from 'pg';

/** Vote ids that two people took out. */
export async function readVoids(client: PoolClient, sessionNo: number): Promise<Set<string>> {
  const { rows } = await client.query<{ vote_id: string }>(
    'SELECT vote_id FROM votes.void_votes WHERE session_no = $1',
    [sessionNo],
  );
  return new Set(rows.map(({ vote_id }) => vote_id));
}
