import type { Db } from '#common/copies.ts';
import { type SessionRow, sessionColumns } from './session-row.ts';

/**
 * Notes when the results were released, on a session that still has the version its caller read,
 * and raises the version; undefined, with nothing changed, when somebody else was faster.
 */
export async function releaseSession(
  db: Db,
  read: Pick<SessionRow, 'session_id' | 'version'>,
  releasedAt: Date,
): Promise<SessionRow | undefined> {
  const { rows } = await db.query<SessionRow>(
    `UPDATE votes.voting_sessions
     SET released_at = $3, version = version + 1
     WHERE session_id = $1 AND version = $2
     RETURNING ${sessionColumns}`,
    [read.session_id, read.version, releasedAt],
  );
  return rows[0];
}
