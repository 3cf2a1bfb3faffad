import type { Covers } from '#common/contracts/vote-aggregated.ts';
import type { Pool } from '#common/postgres.ts';

/** Where a record lies in a region's log. */
export interface Place {
  readonly region: string;
  readonly partition: number;
  readonly offset: number;
}

/** What Postgres knows at one moment of a vote, and of the place it was said to lie at. */
export interface VoteStateRow {
  /** Null when no session is known by the id given, or none has the vote. */
  readonly session_id: string | null;
  /** The row that counts. */
  readonly option_no: number | null;
  readonly accepted_at: Date | null;
  readonly counted_at: Date | null;
  /** The earliest record that came after closing. */
  readonly late_option_no: number | null;
  readonly late_accepted_at: Date | null;
  /** Options of the voter's records that lost to the row that counts. */
  readonly lost_option_nos: readonly number[];
  readonly quarantined: boolean;
  /** Two people took the row that counted out. */
  readonly is_void: boolean;
  /** The place lies in a log that is not read any more, because its region was declared lost. */
  readonly is_lost: boolean;
  /**
   * Of that region's votes, copies that were read to their end since; false while some are to be
   * read, null when nobody holds any.
   */
  readonly copies_read: boolean | null;
  /** What the ledger has read, at the same moment. */
  readonly covers: Covers;
  readonly as_of: Date;
}

/** `place` is as the asker says, signed or not; undefined: none was named. */
export interface VoteStateQuery {
  readonly voteId: string;
  /** Undefined: every session is asked for the vote (a confirmation code names none). */
  readonly sessionId: string | undefined;
  readonly place: Place | undefined;
}

/**
 * The state of a vote and the offsets in ONE statement: read apart, a vote counted in between would
 * look lost. Each LATERAL … LIMIT 1 is one look-up by primary key in one session's table.
 */
const statement = `
  SELECT found.*, held.quarantined, covers.covers, clock_timestamp() AS as_of,
    lost.region_no IS NOT NULL AS is_lost, lost.copies_read
  FROM (
    SELECT coalesce(json_object_agg(region, offsets), '{}') AS covers
    FROM (
      SELECT region, json_agg(next_offset ORDER BY partition) AS offsets
      FROM votes.offsets JOIN votes.regions USING (region_no) GROUP BY region
    ) AS by_region
  ) AS covers
  LEFT JOIN LATERAL (
    SELECT session.session_id, won.option_no, won.accepted_at, won.counted_at,
      late.option_no AS late_option_no, late.accepted_at AS late_accepted_at,
      ARRAY(
        SELECT DISTINCT option_no FROM votes.vote_conflicts
        WHERE session_no = session.session_no AND vote_id = $1
      ) AS lost_option_nos,
      EXISTS (
        SELECT FROM votes.void_votes
        WHERE session_no = session.session_no AND vote_id = $1
      ) AS is_void
    FROM (
      SELECT session_no, session_id FROM votes.voting_sessions
      WHERE $2::uuid IS NULL OR session_id = $2
    ) AS session
    LEFT JOIN LATERAL (
      SELECT option_no, accepted_at, counted_at FROM votes.votes
      WHERE session_no = session.session_no AND vote_id = $1 LIMIT 1
    ) AS won ON true
    LEFT JOIN LATERAL (
      SELECT option_no, accepted_at FROM votes.late_votes
      WHERE session_no = session.session_no AND vote_id = $1 ORDER BY accepted_at LIMIT 1
    ) AS late ON true
    WHERE $2::uuid IS NOT NULL OR won.option_no IS NOT NULL OR late.option_no IS NOT NULL
    LIMIT 1
  ) AS found ON true
  CROSS JOIN LATERAL (
    SELECT EXISTS (
      SELECT FROM votes.quarantined_records WHERE session_id = $2 AND vote_id = $1
    ) OR EXISTS (
      SELECT FROM votes.quarantined_records JOIN votes.regions USING (region_no)
      WHERE region = $3 AND partition = $4 AND "offset" = $5
    ) AS quarantined
  ) AS held
  LEFT JOIN LATERAL (
    SELECT own.region_no, (
      SELECT bool_and(coalesce(
        heard.heard_at > own.lost_at AND ledger.next_offset >= heard.log_end, false))
      FROM votes.regions AS copy
      JOIN votes.live_logs USING (region_no)
      LEFT JOIN votes.offsets AS ledger USING (region_no)
      LEFT JOIN votes.log_counts AS heard USING (region_no, partition)
      WHERE copy.stands_for = own.region_no
    ) AS copies_read
    FROM votes.regions AS own WHERE own.region = $3 AND own.lost_at IS NOT NULL
  ) AS lost ON true`;

/** Always one row: what is not there is null in it. */
export async function readVoteState(pool: Pool, query: VoteStateQuery): Promise<VoteStateRow> {
  const { voteId, sessionId, place } = query;
  const { rows } = await pool.query<VoteStateRow>({
    name: 'read-vote-state',
    text: statement,
    values: [voteId, sessionId, place?.region, place?.partition, place?.offset],
  });
  const row = rows[0]!;
  return { ...row, lost_option_nos: row.lost_option_nos ?? [], is_void: row.is_void ?? false };
}
