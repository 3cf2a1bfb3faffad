import type { PoolClient } from 'pg';
import type { RecountedSession } from './read-session.ts';

/** A log that counts, or did until its region was declared lost. */
export interface RecountedLog {
  readonly region_no: number;
  /** A region's name, or `region@host` for the copies of a lost region. */
  readonly log: string;
  /** False: it is never read again, and counts as far as it was counted. */
  readonly is_live: boolean;
  /** Next offset per partition that the ledger had read. */
  readonly offsets: readonly number[];
}

/**
 * The logs that a session's votes came from: those that are read, and those that were. Copies are
 * left out for a session that was settled from the originals.
 */
export async function readLogs(
  client: PoolClient,
  { sealed_at }: RecountedSession,
): Promise<RecountedLog[]> {
  const { rows } = await client.query<RecountedLog>(
    `SELECT log.region_no, log.region AS log, live.region_no IS NOT NULL AS is_live,
       ARRAY(SELECT next_offset FROM votes.offsets o
         WHERE o.region_no = log.region_no ORDER BY partition) AS offsets
     FROM votes.regions AS log
     LEFT JOIN votes.live_logs AS live USING (region_no)
     LEFT JOIN votes.regions AS origin ON origin.region_no = log.stands_for
     WHERE log.stands_for IS NULL OR origin.lost_at < coalesce($1::timestamptz, 'infinity')
     ORDER BY log.region`,
    [sealed_at],
  );
  return rows;
}
