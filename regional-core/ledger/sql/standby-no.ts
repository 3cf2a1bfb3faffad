import type { Pool } from '#common/postgres.ts';

/** The short number of the log that holds `region`'s copies at `host`; made at its first use. */
export async function standbyNo(pool: Pool, region: string, host: string): Promise<number> {
  const { rows } = await pool.query<{ region_no: number }>(
    'SELECT votes.standby_no($1, $2) AS region_no',
    [region, host],
  );
  return rows[0]!.region_no;
}
