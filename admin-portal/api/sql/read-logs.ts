import type { Db } from '#common/copies.ts';

/** A log as the ledger has read it. */
export interface LogRow {
  /** A region's own, or `region@host`: the copies of a region's votes that another one keeps. */
  readonly log: string;
  /** The region whose copies it holds; null for a region's own. */
  readonly stands_for: string | null;
  readonly lost_at: Date | null;
  readonly lost_by: Buffer | null;
  /** Is it read, or would it be: a region's own until it is lost, a standby from then on. */
  readonly live: boolean;
  /** By partition, in order. `sealed` is the offset of the session's seal; null when not read. */
  readonly partitions: readonly {
    readonly partition: number;
    readonly next_offset: number;
    /** As the ledger or the second reader heard last: the second asks when nothing is counted. */
    readonly log_end: number;
    /** When the second reader last heard it, ms since the epoch; null for never. */
    readonly heard_at_ms: number | null;
    readonly sealed: number | null;
  }[];
}

/** Every log, with the seals of a session (0: of none), in ONE statement. */
export async function readLogs(db: Db, sessionNo: number): Promise<LogRow[]> {
  const { rows } = await db.query<LogRow>(
    `SELECT r.region AS log, origin.region AS stands_for, r.lost_at, r.lost_by,
       EXISTS (SELECT FROM votes.live_logs l WHERE l.region_no = r.region_no) AS live,
       coalesce(jsonb_agg(jsonb_build_object(
         'partition', o.partition, 'next_offset', o.next_offset,
         'log_end', greatest(o.log_end, o.next_offset, heard.log_end), 'sealed', s."offset",
         'heard_at_ms', CASE WHEN heard.heard_at > '-infinity'
           THEN floor(extract(epoch FROM heard.heard_at) * 1000)::bigint END
       ) ORDER BY o.partition) FILTER (WHERE o.partition IS NOT NULL), '[]') AS partitions
     FROM votes.regions r
     LEFT JOIN votes.regions origin ON origin.region_no = r.stands_for
     LEFT JOIN votes.offsets o ON o.region_no = r.region_no
     LEFT JOIN votes.log_counts heard
       ON heard.region_no = o.region_no AND heard.partition = o.partition
     LEFT JOIN votes.seals s
       ON s.session_no = $1 AND s.region_no = r.region_no AND s.partition = o.partition
     GROUP BY r.region_no, origin.region_no
     ORDER BY r.region COLLATE "C"`,
    [sessionNo],
  );
  return rows;
}
