import type { Pool } from '#common/postgres.ts';

/**
 * Where counting goes on: partition → next offset. A partition counted for the first time starts at
 * `logStarts[partition]`, its row is made here.
 */
export async function readLogOffsets(
  pool: Pool,
  regionNo: number,
  logStarts: readonly number[],
): Promise<Map<number, number>> {
  await pool.query(
    `INSERT INTO votes.log_counts (region_no, partition, next_offset)
     SELECT $1, partition - 1, next_offset
     FROM unnest($2::bigint[]) WITH ORDINALITY AS log(next_offset, partition)
     ON CONFLICT DO NOTHING`,
    [regionNo, logStarts],
  );
  const { rows } = await pool.query<{ partition: number; next_offset: number }>(
    'SELECT partition, next_offset FROM votes.log_counts WHERE region_no = $1 ORDER BY partition',
    [regionNo],
  );
  return new Map(rows.map(({ partition, next_offset }) => [partition, next_offset]));
}
