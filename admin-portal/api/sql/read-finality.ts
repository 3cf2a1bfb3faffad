import type { Db } from '#common/copies.ts';
import { type ActRow, actColumns } from './find-act.ts';

/** How far a session is on its way to a final result. */
export interface FinalityRow {
  readonly final_statement: Buffer | null;
  /** Votes by option number, corrections included; options without any are missing. */
  readonly tallies: readonly { readonly option_no: number; readonly votes: number }[];
  readonly late: number;
  /** Records that were neither the first of their voter nor of the option that counts now. */
  readonly duplicates: number;
  readonly corrections: readonly {
    readonly kind: 'seal' | 'void' | 'restore';
    /** Hex; empty for the seal. */
    readonly act_hash: string;
    readonly moved: number;
    /** RFC 3339. */
    readonly corrected_at: string;
  }[];
}

/**
 * All of it in ONE statement, so of one moment. The session must be there: sessions are never
 * deleted, and for a number that none has it would resolve with undefined.
 */
export async function readFinality(db: Db, sessionNo: number): Promise<FinalityRow> {
  const { rows } = await db.query<FinalityRow>(
    `SELECT final_statement,
       (SELECT coalesce(jsonb_agg(t ORDER BY option_no), '[]') FROM (
          SELECT option_no, sum(votes)::bigint AS votes FROM votes.tallies
          WHERE session_no = $1 GROUP BY option_no) AS t) AS tallies,
       (SELECT coalesce(sum(late), 0)::bigint FROM votes.verdicts WHERE session_no = $1) AS late,
       (SELECT coalesce(sum(duplicate), 0)::bigint FROM votes.verdicts
        WHERE session_no = $1) AS duplicates,
       (SELECT coalesce(jsonb_agg(jsonb_build_object('kind', kind,
            'act_hash', encode(act_hash, 'hex'), 'moved', moved, 'corrected_at', corrected_at)
          ORDER BY corrected_at), '[]')
        FROM votes.corrections WHERE session_no = $1) AS corrections
     FROM votes.voting_sessions WHERE session_no = $1`,
    [sessionNo],
  );
  return rows[0]!;
}

/** The newest acts about a session, newest first. */
export async function readActsOf(db: Db, sessionId: string, actsMax: number): Promise<ActRow[]> {
  const { rows } = await db.query<ActRow>(
    `SELECT ${actColumns} FROM votes.acts a
     WHERE kind <> 'declare_lost' AND body::jsonb ->> 'session_id' = $1
     ORDER BY proposed_at DESC LIMIT $2`,
    [sessionId, actsMax],
  );
  return rows;
}
