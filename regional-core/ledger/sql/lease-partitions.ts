import type { Pool } from '#common/postgres.ts';
import type { LogIdentity } from './count-batch.ts';

/**
 * Renews this worker's leases, takes what is free up to its share, and gives partition → next
 * offset for all it holds: where reading starts. Rejects when the offsets belong to another log.
 */
export async function leasePartitions(
  pool: Pool,
  log: LogIdentity,
  worker: { readonly id: string; readonly partitions: number; readonly ttlMs: number },
): Promise<Map<number, number>> {
  const { rows } = await pool.query<{ partition: number; next_offset: number }>({
    name: 'lease_partitions',
    text: 'SELECT * FROM votes.lease_partitions($1, $2, $3, $4, $5, $6)',
    values: [log.regionNo, log.clusterId, log.topicId, worker.partitions, worker.id, worker.ttlMs],
  });
  return new Map(rows.map((row) => [row.partition, row.next_offset]));
}
