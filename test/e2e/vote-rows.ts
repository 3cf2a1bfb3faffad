import { Client } from 'pg';
import { inject } from 'vitest';

export interface OptionRows {
  readonly optionId: string;
  /** Rows of votes that count. */
  readonly rows: number;
  /** Sum of the ledger's tallies. */
  readonly tallied: number;
}

/** What Postgres holds for a session, an entry an option in ballot order; read in one statement. */
export async function countRows(sessionId: string): Promise<OptionRows[]> {
  const client = new Client({ connectionString: inject('stack').postgres });
  await client.connect();
  try {
    const { rows } = await client.query<OptionRows>(
      `SELECT option->>'option_id' AS "optionId",
         (SELECT count(*)::integer FROM votes.votes v
          WHERE v.session_no = s.session_no AND v.option_no = position - 1) AS rows,
         (SELECT coalesce(sum(t.votes), 0)::integer FROM votes.tallies t
          WHERE t.session_no = s.session_no AND t.option_no = position - 1) AS tallied
       FROM votes.voting_sessions s,
         jsonb_array_elements(s.options) WITH ORDINALITY AS o(option, position)
       WHERE s.session_id = $1
       ORDER BY position`,
      [sessionId],
    );
    return rows;
  } finally {
    await client.end();
  }
}
