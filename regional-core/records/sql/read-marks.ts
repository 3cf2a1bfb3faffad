import type { Pool } from '#common/postgres.ts';

/** One session in one partition of a log. */
export interface MarkRow {
  readonly partition: number;
  readonly session_id: string;
  readonly ledger_next: number;
  readonly log_next: number;
  /** Records that the log counter had counted before `log_next`. */
  readonly held: number;
  /** Records that the ledger had judged before `ledger_next`. */
  readonly judged: number;
}

/** Where both readers of a log stand, and what they said of these sessions, in one statement. */
export async function readMarks(
  pool: Pool,
  regionNo: number,
  sessionIds: readonly string[],
): Promise<MarkRow[]> {
  const { rows } = await pool.query<MarkRow>({
    name: 'read-marks',
    text: `
      SELECT partition, session_id, ledger.next_offset AS ledger_next, log.next_offset AS log_next,
        coalesce(held.accepted + held.control, 0) AS held,
        coalesce(counted + duplicate + replayed + late + quarantined + judged.control, 0) AS judged
      FROM votes.offsets AS ledger
      JOIN votes.log_counts AS log USING (region_no, partition)
      CROSS JOIN votes.voting_sessions AS session
      LEFT JOIN votes.log_session_counts AS held USING (session_id, region_no, partition)
      LEFT JOIN votes.verdicts AS judged USING (session_no, region_no, partition)
      WHERE region_no = $1 AND session_id = ANY ($2)`,
    values: [regionNo, sessionIds],
  });
  return rows;
}
