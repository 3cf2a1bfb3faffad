import type { Pool } from '#common/postgres.ts';

/** When the session opens; undefined when there is no such session. */
export async function findSession(
  pool: Pool,
  sessionId: string,
): Promise<{ readonly opens_at: Date } | undefined> {
  const { rows } = await pool.query<{ opens_at: Date }>(
    'SELECT opens_at FROM votes.voting_sessions WHERE session_id = $1',
    [sessionId],
  );
  return rows[0];
}
