import type { Pool } from '#common/postgres.ts';

/** Writes where a log ends, as it was heard just now. */
export async function noteLogEnds(
  pool: Pool,
  regionNo: number,
  logEnds: ReadonlyMap<number, number>,
): Promise<void> {
  await pool.query(
    `UPDATE votes.log_counts AS held
     SET log_end = greatest(held.log_end, heard.log_end), heard_at = clock_timestamp()
     FROM unnest($2::smallint[], $3::bigint[]) AS heard(partition, log_end)
     WHERE held.region_no = $1 AND held.partition = heard.partition`,
    [regionNo, [...logEnds.keys()], [...logEnds.values()]],
  );
}
