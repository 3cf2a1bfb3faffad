import type { Pool } from '#common/postgres.ts';

/** One session in one partition: what the log holds and how the ledger judged it. */
export interface BalanceRow {
  readonly session_id: string;
  readonly region: string;
  readonly partition: number;
  /** What the ledger has read. */
  readonly ledger_next: number;
  /** What the log counter has read. */
  readonly log_next: number;
  readonly accepted: number;
  readonly counted: number;
  readonly duplicate: number;
  readonly replayed: number;
  readonly late: number;
  readonly quarantined: number;
}

/**
 * Log counts, verdicts and the offsets of both in one statement, a row a session and partition; no
 * row for a session that does not exist, nor while no region has begun.
 */
export async function readBalance(
  pool: Pool,
  sessionIds: readonly string[],
): Promise<BalanceRow[]> {
  const { rows } = await pool.query<BalanceRow>({
    name: 'read-balance',
    text: `
      SELECT session_id, region, partition,
        coalesce(ledger.next_offset, 0) AS ledger_next, coalesce(log.next_offset, 0) AS log_next,
        coalesce(accepted, 0) AS accepted, coalesce(counted, 0) AS counted,
        coalesce(duplicate, 0) AS duplicate, coalesce(replayed, 0) AS replayed,
        coalesce(late, 0) AS late, coalesce(quarantined, 0) AS quarantined
      FROM votes.voting_sessions AS session
      CROSS JOIN (
        SELECT region_no, partition FROM votes.offsets
        UNION
        SELECT region_no, partition FROM votes.log_counts
      ) AS place
      JOIN votes.regions USING (region_no)
      LEFT JOIN votes.offsets AS ledger USING (region_no, partition)
      LEFT JOIN votes.log_counts AS log USING (region_no, partition)
      LEFT JOIN votes.log_session_counts USING (session_id, region_no, partition)
      LEFT JOIN votes.verdicts USING (session_no, region_no, partition)
      WHERE session_id = ANY($1)
      ORDER BY session_id, region, partition`,
    values: [sessionIds],
  });
  return rows;
}
