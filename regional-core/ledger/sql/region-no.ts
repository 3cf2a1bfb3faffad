import type { Pool } from '#common/postgres.ts';

/** The short number of a region in vote rows; made when the region is new. */
export async function regionNo(pool: Pool, region: string): Promise<number> {
  const { rows } = await pool.query<{ no: number }>('SELECT votes.region_no($1) AS no', [region]);
  return rows[0]!.no;
}
