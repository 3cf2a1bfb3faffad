import type { Pool } from '#common/postgres.ts';

/**
 * Sessions that take votes or stopped at most `lingerMs` ago: their last records may still be on
 * their way to the ledger.
 */
export async function listBalancedSessions(
  pool: Pool,
  bounds: { readonly nowMs: number; readonly lingerMs: number; readonly sessionsMax: number },
): Promise<string[]> {
  const { rows } = await pool.query<{ session_id: string }>(
    `SELECT session_id FROM votes.voting_sessions
     WHERE opens_at <= $1 AND closes_at > $2 ORDER BY closes_at LIMIT $3`,
    [new Date(bounds.nowMs), new Date(bounds.nowMs - bounds.lingerMs), bounds.sessionsMax],
  );
  return rows.map(({ session_id }) => session_id);
}
