import type { Pool } from '#common/postgres.ts';
import type { DatabaseRecount } from '../finaliser.ts';
import { queryAtLength } from './at-length.ts';

/** Counts a session's rows and tallies anew, and makes the digest of its rows. */
export async function recount(
  pool: Pool,
  sessionNo: number,
  ending: AbortSignal,
): Promise<DatabaseRecount> {
  // Arrays of bigint come as texts: as JSON they are numbers, checked to be exact.
  const [row] = await queryAtLength<{ digest: string; rows: number[]; tallies: number[] }>(
    pool,
    `SELECT digest, to_jsonb(rows) AS rows, to_jsonb(tallies) AS tallies
     FROM votes.recount($1)`,
    [sessionNo],
    ending,
  );
  return row!;
}
