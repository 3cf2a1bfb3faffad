import type { PoolClient } from 'pg';

/** What a recount takes as given: the session, as it stands in the database. */
export interface RecountedSession {
  readonly session_no: number;
  readonly session_id: string;
  readonly version: number;
  readonly title: string;
  readonly option_ids: readonly string[];
  readonly opens_at: Date;
  readonly closes_at: Date;
  readonly sealed_at: Date | null;
  readonly final_at: Date | null;
  /** What two people agreed on, as `encodeStatement` writes it. */
  readonly final_statement: Buffer | null;
}

/**
 * Undefined when there is no such session. `option_ids` are in ballot order: a position is an
 * option number. What else a recount reads of Postgres comes from the same snapshot.
 */
export async function readSession(
  client: PoolClient,
  sessionId: string,
): Promise<RecountedSession | undefined> {
  const { rows } = await client.query<RecountedSession>(
    `SELECT session_no, session_id, version, title, opens_at, closes_at, sealed_at, final_at,
       final_statement,
       ARRAY(SELECT option ->> 'option_id'
         FROM jsonb_array_elements(options) WITH ORDINALITY AS listed(option, no)
         ORDER BY no) AS option_ids
     FROM votes.voting_sessions WHERE session_id = $1`,
    [sessionId],
  );
  return rows[0];
}
