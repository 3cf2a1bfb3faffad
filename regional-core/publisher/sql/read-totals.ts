import type { Correction, Covers } from '#common/contracts/vote-aggregated.ts';
import type { Pool } from '#common/postgres.ts';

/** What one statement saw: how far the logs were read, and the counts that follow from it. */
export interface TotalsRead {
  readonly epoch: number;
  /** Of the server, when it tells. */
  readonly timeline?: number;
  /** Transactions that changed counts otherwise than by counting: rows of votes.corrections. */
  readonly corrections: number;
  readonly covers: Covers;
  /** Logs that are not read: of a region that was declared lost, above all. */
  readonly unread?: readonly string[];
  /** Sessions that changed since `since`, and those asked for. */
  readonly sessions: readonly SessionTotals[];
}

/** Over all logs and corrections; an option without an entry has no votes. */
export interface SessionTotals {
  readonly sessionNo: number;
  /** Sparse: option number → votes. */
  readonly counts: Readonly<Record<string, number>>;
  /** Its corrections, oldest first; of more than 100 the latest. */
  readonly corrected?: readonly Correction[];
}

/**
 * Reads offsets and totals in ONE statement, so that the counts are those of exactly these offsets.
 *
 * @param since offsets of the last read: only sessions with records read after them are summed
 * @param alsoNos sessions to sum whether they changed or not
 */
export async function readTotals(
  pool: Pool,
  since: Covers,
  alsoNos: readonly number[],
): Promise<TotalsRead> {
  const known = Object.entries(since).flatMap(([region, offsets]) =>
    offsets.map((offset, partition) => ({ region, partition, offset })),
  );
  const { rows } = await pool.query<TotalsRead>({
    name: 'read_totals',
    text: readTotalsSql,
    values: [
      known.map(({ region }) => region),
      known.map(({ partition }) => partition),
      known.map(({ offset }) => offset),
      alsoNos,
    ],
  });
  return rows[0]!;
}

const readTotalsSql = `
  WITH reached AS (
    SELECT region_no, region, partition, next_offset
    FROM votes.offsets JOIN votes.regions USING (region_no)
  ), known AS (
    SELECT region_no, partition, since.next_offset
    FROM unnest($1::text[], $2::integer[], $3::bigint[]) AS since(region, partition, next_offset)
    JOIN votes.regions USING (region)
  ), changed AS (
    SELECT session_no
    FROM reached r
    LEFT JOIN known USING (region_no, partition)
    JOIN votes.verdicts v
      ON v.region_no = r.region_no AND v.partition = r.partition
      AND v.next_offset > coalesce(known.next_offset, 0)
    WHERE r.next_offset > coalesce(known.next_offset, 0) AND v.session_no > 0
    UNION
    SELECT unnest($4::integer[])
  ), counted AS (
    SELECT session_no, option_no, sum(votes)::bigint AS votes
    FROM votes.tallies JOIN changed USING (session_no)
    GROUP BY session_no, option_no
  ), totals AS (
    SELECT session_no,
      coalesce(jsonb_object_agg(option_no, votes) FILTER (WHERE votes IS NOT NULL), '{}') AS counts
    FROM changed LEFT JOIN counted USING (session_no)
    GROUP BY session_no
  ), recent AS (
    SELECT session_no, kind, corrected_at, moved, row_number() OVER (
      PARTITION BY session_no ORDER BY corrected_at DESC, kind DESC) AS nth
    FROM votes.corrections JOIN changed USING (session_no)
  ), corrected AS (
    SELECT session_no, jsonb_agg(jsonb_build_object('kind', kind, 'moved', moved,
      'at_ms', floor(extract(epoch FROM corrected_at) * 1000)) ORDER BY nth DESC) AS list
    FROM recent WHERE nth <= 100
    GROUP BY session_no
  )
  SELECT
    (SELECT epoch FROM votes.epoch) AS epoch,
    (SELECT count(*) FROM votes.corrections) AS corrections,
    (SELECT coalesce(jsonb_object_agg(region, offsets), '{}') FROM (
      SELECT region, jsonb_agg(next_offset ORDER BY partition) AS offsets
      FROM reached GROUP BY region) AS by_region) AS covers,
    (SELECT coalesce(jsonb_agg(region), '[]') FROM votes.regions
      WHERE region_no NOT IN (SELECT region_no FROM votes.live_logs)) AS unread,
    (SELECT coalesce(jsonb_agg(jsonb_build_object('sessionNo', session_no, 'counts', counts,
      'corrected', coalesce(list, '[]'))), '[]')
      FROM totals LEFT JOIN corrected USING (session_no)) AS sessions`;
