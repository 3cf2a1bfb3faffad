import type { Pool } from '#common/postgres.ts';
import { queryAtLength } from './at-length.ts';

/** See `LedgerStore.settle`. Asked every second: what may take long is begun only when it is due. */
export async function settleSessions(pool: Pool): Promise<string[]> {
  const { rows } = await pool.query<{ is_due: boolean }>({
    name: 'settling_is_due',
    text: `SELECT EXISTS (
      SELECT FROM votes.voting_sessions
      WHERE sealed_at IS NULL AND closes_at < clock_timestamp()
        AND votes.is_read_through(session_no)) AS is_due`,
  });
  if (!rows[0]!.is_due) return [];
  const settled = await queryAtLength<{ session_id: string }>(
    pool,
    'SELECT session_id FROM votes.settle() AS session_id',
  );
  return settled.map(({ session_id }) => session_id);
}
