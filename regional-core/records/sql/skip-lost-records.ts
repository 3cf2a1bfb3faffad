import type { Pool } from '#common/postgres.ts';

/**
 * Moves a partition over records that have left the log uncounted, if it still stands where they
 * begin; true when this call moved it.
 */
export async function skipLostRecords(
  pool: Pool,
  regionNo: number,
  lost: { readonly partition: number; readonly from: number; readonly next: number },
): Promise<boolean> {
  const { rowCount } = await pool.query(
    `UPDATE votes.log_counts SET next_offset = $4
     WHERE region_no = $1 AND partition = $2 AND next_offset = $3`,
    [regionNo, lost.partition, lost.from, lost.next],
  );
  return rowCount === 1;
}
