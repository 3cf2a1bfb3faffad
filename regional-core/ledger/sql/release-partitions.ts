import type { Pool } from '#common/postgres.ts';

/** Gives all leases of a worker back, so that its successor need not wait for them to expire. */
export async function releasePartitions(
  pool: Pool,
  regionNo: number,
  workerId: string,
): Promise<void> {
  await pool.query('SELECT votes.release_partitions($1, $2)', [regionNo, workerId]);
}
