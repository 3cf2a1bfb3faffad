import type { Pool } from '#common/postgres.ts';

export async function sessionExists(pool: Pool, sessionId: string): Promise<boolean> {
  const { rowCount } = await pool.query('SELECT FROM votes.voting_sessions WHERE session_id = $1', [
    sessionId,
  ]);
  return rowCount === 1;
}
