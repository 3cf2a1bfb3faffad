import type { Pool } from '#common/postgres.ts';

/** What the offsets of a log belong to: with another cluster or topic they name other records. */
export interface LogSource {
  readonly clusterId: string;
  readonly topicId: string;
}

/** The log that was counted is another one than the one that is there: people must look. */
export class OtherLogError extends Error {
  constructor(partition: number, source: LogSource) {
    super(
      `partition ${partition} was counted in another log than topic ${source.topicId} ` +
        `of cluster ${source.clusterId}`,
    );
    this.name = 'OtherLogError';
  }
}

/**
 * Where counting goes on: partition → next offset. A partition counted for the first time starts at
 * `logStarts[partition]`, its row is made here. Throws OtherLogError when what was counted lay in
 * another cluster or topic.
 */
export async function readLogOffsets(
  pool: Pool,
  regionNo: number,
  source: LogSource,
  logStarts: readonly number[],
): Promise<Map<number, number>> {
  await pool.query(
    `INSERT INTO votes.log_counts AS held (region_no, partition, next_offset, cluster_id, topic_id)
     SELECT $1, partition - 1, next_offset, $3, $4
     FROM unnest($2::bigint[]) WITH ORDINALITY AS log(next_offset, partition)
     ON CONFLICT (region_no, partition)
     DO UPDATE SET cluster_id = excluded.cluster_id, topic_id = excluded.topic_id
     WHERE held.cluster_id IS NULL`,
    [regionNo, logStarts, source.clusterId, source.topicId],
  );
  const { rows } = await pool.query<{ partition: number; next_offset: number; same: boolean }>(
    `SELECT partition, next_offset, (cluster_id, topic_id) = ($2, $3::uuid) AS same
     FROM votes.log_counts WHERE region_no = $1 ORDER BY partition`,
    [regionNo, source.clusterId, source.topicId],
  );
  const other = rows.find(({ same }) => !same);
  if (other !== undefined) throw new OtherLogError(other.partition, source);
  return new Map(rows.map(({ partition, next_offset }) => [partition, next_offset]));
}
