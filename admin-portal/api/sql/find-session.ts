import type { Db } from '#common/copies.ts';
import { type SessionRow, sessionColumns } from './session-row.ts';

/** The session with this id (a canonical UUID), if there is one. */
export async function findSession(db: Db, sessionId: string): Promise<SessionRow | undefined> {
  const { rows } = await db.query<SessionRow>(
    `SELECT ${sessionColumns} FROM votes.voting_sessions WHERE session_id = $1`,
    [sessionId],
  );
  return rows[0];
}
