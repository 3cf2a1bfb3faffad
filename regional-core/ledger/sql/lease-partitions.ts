import type { Pool } from '#common/postgres.ts';
import type { Lease, LeaseRequest } from '../ledger-store.ts';
import type { LogIdentity } from './count-batch.ts';

interface LeaseRow {
  readonly epoch: number;
  /** Null in the one row that says that nothing is held. */
  readonly partition: number | null;
  readonly next_offset: number | null;
}

/** See `LedgerStore.lease`. */
export async function leasePartitions(
  pool: Pool,
  log: LogIdentity,
  worker: LeaseRequest,
): Promise<Lease> {
  const { rows } = await pool.query<LeaseRow>({
    name: 'lease_partitions',
    text: 'SELECT * FROM votes.lease_partitions($1, $2, $3, $4, $5, $6, $7, $8)',
    values: [
      log.regionNo,
      log.clusterId,
      log.topicId,
      worker.layout.partitions,
      worker.id,
      worker.ttlMs,
      worker.epochMin,
      worker.layout.readAtMs,
    ],
  });
  const positions = new Map<number, number>();
  for (const { partition, next_offset } of rows) {
    if (partition !== null && next_offset !== null) positions.set(partition, next_offset);
  }
  return { epoch: rows[0]!.epoch, positions };
}
