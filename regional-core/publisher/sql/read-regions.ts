import type { Db } from '#common/copies.ts';

/** The epoch, and the regions that were declared lost up to it, sorted. */
export async function readRegions(db: Db): Promise<{ epoch: number; lost: string[] }> {
  const { rows } = await db.query<{ epoch: number; lost: string[] }>(
    `SELECT epoch, ARRAY(
       SELECT region FROM votes.regions
       WHERE lost_at IS NOT NULL AND stands_for IS NULL ORDER BY region COLLATE "C"
     ) AS lost
     FROM votes.epoch`,
  );
  return rows[0]!;
}
