import type { Db } from '#common/copies.ts';
import { type SessionRow, sessionColumns } from './session-row.ts';

/**
 * Moves the times of a session that still has the version its caller read, and raises the version;
 * undefined, with nothing changed, when somebody else was faster.
 */
export async function updateSessionTimes(
  db: Db,
  read: Pick<SessionRow, 'session_id' | 'version'>,
  times: { readonly opensAtMs: number; readonly closesAtMs: number },
): Promise<SessionRow | undefined> {
  const { rows } = await db.query<SessionRow>(
    `UPDATE votes.voting_sessions
     SET opens_at = $3, closes_at = $4, version = version + 1
     WHERE session_id = $1 AND version = $2
     RETURNING ${sessionColumns}`,
    [read.session_id, read.version, new Date(times.opensAtMs), new Date(times.closesAtMs)],
  );
  return rows[0];
}
