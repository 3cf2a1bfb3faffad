import type { Pool } from '#common/postgres.ts';
import type { MarkCheck } from '../log-counter/marks.ts';

/** Writes by how much log and verdicts differed, and up to which offset they were compared. */
export async function writeChecks(
  pool: Pool,
  regionNo: number,
  checks: readonly MarkCheck[],
): Promise<void> {
  // A session of which only verdicts are known has no count yet: that is the worst difference.
  await pool.query(
    `INSERT INTO votes.log_session_counts AS held
       (session_id, region_no, partition, accepted, checked_next, checked_off)
     SELECT session_id, $1, partition, 0, checked_next, checked_off
     FROM unnest($2::uuid[], $3::smallint[], $4::bigint[], $5::bigint[])
       AS compared(session_id, partition, checked_next, checked_off)
     ON CONFLICT (session_id, region_no, partition) DO UPDATE
     SET checked_next = excluded.checked_next, checked_off = excluded.checked_off`,
    [
      regionNo,
      checks.map(({ sessionId }) => sessionId),
      checks.map(({ partition }) => partition),
      checks.map(({ next }) => next),
      checks.map(({ off }) => off),
    ],
  );
}
