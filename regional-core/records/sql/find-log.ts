import type { Pool } from '#common/postgres.ts';

/** A log by its short number; false for one that is not read, by anybody. */
export interface FoundLog {
  readonly region_no: number;
  readonly is_live: boolean;
}

/** The log of that name (`region`, or `region@host`); undefined while nobody has made it. */
export async function findLog(pool: Pool, name: string): Promise<FoundLog | undefined> {
  const { rows } = await pool.query<FoundLog>(
    `SELECT log.region_no, live.region_no IS NOT NULL AS is_live
     FROM votes.regions AS log LEFT JOIN votes.live_logs AS live USING (region_no)
     WHERE log.region = $1`,
    [name],
  );
  return rows[0];
}
