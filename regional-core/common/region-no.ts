import type { Pool } from './postgres.ts';

/** The short number by which Postgres knows a region; made at its first use. */
export async function regionNo(pool: Pool, region: string): Promise<number> {
  const { rows } = await pool.query<{ region_no: number }>(
    'SELECT votes.region_no($1) AS region_no',
    [region],
  );
  return rows[0]!.region_no;
}
