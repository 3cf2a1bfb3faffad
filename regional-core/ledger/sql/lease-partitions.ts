import type { Pool } from '#common/postgres.ts';
import type { Lease, LeaseRequest } from '../ledger-store.ts';
import type { LogIdentity } from './count-batch.ts';

/** See `LedgerStore.lease`. */
export async function leasePartitions(
  pool: Pool,
  log: LogIdentity,
  worker: LeaseRequest,
): Promise<Lease> {
  const { rows } = await pool.query<{ partition: number | null; next_offset: number }>({
    name: 'lease_partitions',
    text: 'SELECT * FROM votes.lease_partitions($1, $2, $3, $4, $5, $6)',
    values: [log.regionNo, log.clusterId, log.topicId, worker.partitions, worker.id, worker.ttlMs],
  });
  return { epoch: 1, positions: new Map(rows.map((row) => [row.partition!, row.next_offset])) };
}
