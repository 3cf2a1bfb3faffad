import type { Pool } from '#common/postgres.ts';

/** One session in one partition of a log: what lies in it and how the ledger judged it. */
export interface BalanceRow {
  readonly session_id: string;
  /** The log's name: a region, or `region@host` for the copies of a lost one. */
  readonly region: string;
  readonly partition: number;
  /** False: the log is never read again; what lies behind `ledger_next` counts nowhere. */
  readonly is_live: boolean;
  /** What the ledger has read. */
  readonly ledger_next: number;
  /** What the log counter has read. */
  readonly log_next: number;
  /** Records that are votes, as the log counter has them. */
  readonly accepted: number;
  /** Seals and final statements, as the log counter has them. */
  readonly log_control: number;
  readonly counted: number;
  readonly duplicate: number;
  readonly replayed: number;
  readonly late: number;
  readonly quarantined: number;
  /** Seals and final statements, as the ledger judged them. */
  readonly control: number;
  /** By how much the two differed where they were last compared at one offset. */
  readonly checked_off: number;
  /** Of the whole session, in each row the same: counted votes that two people took out. */
  readonly void: number;
}

/**
 * Log counts, verdicts and the offsets of both in one statement, a row a session and partition; no
 * row for a session that does not exist, nor while no log has begun. Copies that are not read
 * because their originals are have no rows.
 */
export async function readBalance(
  pool: Pool,
  sessionIds: readonly string[],
): Promise<BalanceRow[]> {
  const { rows } = await pool.query<BalanceRow>({
    name: 'read-balance',
    text: `
      SELECT session_id, region, partition, live.region_no IS NOT NULL AS is_live,
        coalesce(ledger.next_offset, 0) AS ledger_next, coalesce(log.next_offset, 0) AS log_next,
        coalesce(accepted, 0) AS accepted, coalesce(held.control, 0) AS log_control,
        coalesce(counted, 0) AS counted, coalesce(duplicate, 0) AS duplicate,
        coalesce(replayed, 0) AS replayed, coalesce(late, 0) AS late,
        coalesce(quarantined, 0) AS quarantined, coalesce(judged.control, 0) AS control,
        coalesce(checked_off, 0) AS checked_off, session.void
      FROM (
        SELECT session_id, session_no, (
          SELECT count(*) FROM votes.void_votes taken WHERE taken.session_no = known.session_no
        ) AS void
        FROM votes.voting_sessions AS known WHERE session_id = ANY($1)
      ) AS session
      CROSS JOIN (
        SELECT region_no, partition FROM votes.offsets
        UNION
        SELECT region_no, partition FROM votes.log_counts
      ) AS place
      JOIN votes.regions USING (region_no)
      LEFT JOIN votes.live_logs AS live USING (region_no, region)
      LEFT JOIN votes.offsets AS ledger USING (region_no, partition)
      LEFT JOIN votes.log_counts AS log USING (region_no, partition)
      LEFT JOIN votes.log_session_counts AS held USING (session_id, region_no, partition)
      LEFT JOIN votes.verdicts AS judged USING (session_no, region_no, partition)
      WHERE live.region_no IS NOT NULL OR ledger.next_offset > 0
      ORDER BY session_id, region, partition`,
    values: [sessionIds],
  });
  return rows;
}
