import type { Pool } from '#common/postgres.ts';
import { type SessionRow, sessionColumns } from './session-row.ts';

/** The newest sessions, newest first. */
export async function listSessions(pool: Pool, sessionsMax: number): Promise<SessionRow[]> {
  const { rows } = await pool.query<SessionRow>(
    `SELECT ${sessionColumns} FROM votes.voting_sessions ORDER BY session_no DESC LIMIT $1`,
    [sessionsMax],
  );
  return rows;
}
