import type { Pool } from '#common/postgres.ts';
import type { PartitionCount } from '../log-counter/tally.ts';

/**
 * Adds counts and moves the offsets in one statement, and only for partitions that still stand
 * where the counting began: two processes that read the same records cannot both add them. Gives
 * the partitions that were moved; the others were moved by somebody else.
 */
export async function addLogCounts(
  pool: Pool,
  regionNo: number,
  counts: readonly PartitionCount[],
): Promise<ReadonlySet<number>> {
  const sessions = counts.flatMap(({ partition, sessions: counted }) =>
    [...counted].map(([sessionId, count]) => ({ partition, sessionId, ...count })),
  );
  const { rows } = await pool.query<{ partition: number }>(
    `WITH moved AS (
       UPDATE votes.log_counts AS held SET next_offset = read.next_offset
       FROM unnest($2::smallint[], $3::bigint[], $4::bigint[])
         AS read(partition, from_offset, next_offset)
       WHERE held.region_no = $1 AND held.partition = read.partition
         AND held.next_offset = read.from_offset
       RETURNING held.partition
     ), added AS (
       INSERT INTO votes.log_session_counts AS held
         (session_id, region_no, partition, accepted, control)
       SELECT session_id, $1, partition, accepted, control
       FROM unnest($5::uuid[], $6::smallint[], $7::bigint[], $8::bigint[])
         AS read(session_id, partition, accepted, control)
       JOIN moved USING (partition)
       ON CONFLICT (session_id, region_no, partition)
       DO UPDATE SET accepted = held.accepted + excluded.accepted,
         control = held.control + excluded.control
     )
     SELECT partition FROM moved`,
    [
      regionNo,
      counts.map(({ partition }) => partition),
      counts.map(({ from }) => from),
      counts.map(({ next }) => next),
      sessions.map(({ sessionId }) => sessionId),
      sessions.map(({ partition }) => partition),
      sessions.map(({ accepted }) => accepted),
      sessions.map(({ control }) => control),
    ],
  );
  return new Set(rows.map(({ partition }) => partition));
}
