import type { Pool } from '#common/postgres.ts';

/**
 * Per log, by how many records the offsets that the ledger has read and the verdicts that it gave
 * differ, added up over the partitions without regard to sign: next_offset = verdicts + seals.
 */
export async function readLogBalance(
  pool: Pool,
): Promise<readonly { readonly log: string; readonly off: number }[]> {
  const { rows } = await pool.query<{ log: string; off: number }>(
    `SELECT region AS log, sum(abs(next_offset - coalesce(judged, 0)))::bigint AS off
     FROM votes.offsets
     JOIN votes.regions USING (region_no)
     LEFT JOIN (
       SELECT region_no, partition,
         sum(counted + duplicate + replayed + late + quarantined + control)::bigint AS judged
       FROM votes.verdicts GROUP BY region_no, partition
     ) AS total USING (region_no, partition)
     GROUP BY region`,
  );
  return rows;
}
