import type { Pool } from '#common/postgres.ts';

/** The epoch, and the regions that were declared lost up to it, sorted. */
export async function readRegions(pool: Pool): Promise<{ epoch: number; lost: string[] }> {
  const { rows } = await pool.query<{ epoch: number; lost: string[] }>(
    `SELECT epoch, ARRAY(
       SELECT region FROM votes.regions
       WHERE lost_at IS NOT NULL AND stands_for IS NULL ORDER BY region COLLATE "C"
     ) AS lost
     FROM votes.epoch`,
  );
  return rows[0]!;
}
