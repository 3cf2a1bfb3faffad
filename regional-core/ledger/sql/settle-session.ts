import type { Pool } from '#common/postgres.ts';
import { queryAtLength } from './at-length.ts';

/** See `LedgerStore.readThrough`. */
export async function listReadThrough(pool: Pool): Promise<string[]> {
  const { rows } = await pool.query<{ session_id: string }>({
    name: 'list_read_through',
    text: `SELECT session_id FROM votes.voting_sessions
      WHERE sealed_at IS NULL AND closes_at < clock_timestamp()
        AND votes.is_read_through(session_no)
      ORDER BY closes_at LIMIT 1000`,
  });
  return rows.map(({ session_id }) => session_id);
}

/** See `LedgerStore.settle`. */
export async function settleSession(
  pool: Pool,
  sessionId: string,
  ending: AbortSignal,
): Promise<boolean> {
  const [row] = await queryAtLength<{ settled: boolean }>(
    pool,
    'SELECT votes.settle($1) AS settled',
    [sessionId],
    ending,
  );
  return row!.settled;
}
