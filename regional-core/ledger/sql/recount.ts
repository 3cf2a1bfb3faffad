import type { Pool } from '#common/postgres.ts';
import type { DatabaseRecount } from '../finaliser.ts';
import { queryAtLength } from './at-length.ts';

/** Counts a session's rows and tallies anew, and makes the digest of its rows. */
export async function recount(
  pool: Pool,
  sessionNo: number,
  ending: AbortSignal,
): Promise<DatabaseRecount> {
  const [row] = await queryAtLength<DatabaseRecount>(
    pool,
    'SELECT digest, rows, tallies FROM votes.recount($1)',
    [sessionNo],
    ending,
  );
  return row!;
}
