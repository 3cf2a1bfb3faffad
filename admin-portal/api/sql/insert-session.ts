import type { Db } from '#common/copies.ts';
import { type SessionRow, sessionColumns } from './session-row.ts';

export interface NewSession
  extends Omit<SessionRow, 'session_no' | 'version' | 'released_at' | 'sealed_at' | 'final_at'> {
  /** The admin's id. */
  readonly created_by: string;
}

/**
 * Writes the session and makes the table for its votes in one statement: a session without one
 * would stop the ledger at its first vote. Undefined, with nothing changed, for an id that is
 * taken.
 */
export async function insertSession(db: Db, session: NewSession): Promise<SessionRow | undefined> {
  const { rows } = await db.query<SessionRow>(
    `WITH made AS (
       INSERT INTO votes.voting_sessions
         (session_id, title, options, opens_at, closes_at, eligibility, results_policy, created_by)
       VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
       ON CONFLICT (session_id) DO NOTHING
       RETURNING ${sessionColumns}
     )
     SELECT ${sessionColumns} FROM made, votes.create_vote_table(made.session_no)`,
    [
      session.session_id,
      session.title,
      JSON.stringify(session.options),
      session.opens_at,
      session.closes_at,
      session.eligibility,
      session.results_policy,
      session.created_by,
    ],
  );
  return rows[0];
}
