import type { Pool } from '#common/postgres.ts';
import type { LedgerStore } from './ledger-store.ts';
import { countBatch } from './sql/count-batch.ts';
import { leasePartitions } from './sql/lease-partitions.ts';
import { releasePartitions } from './sql/release-partitions.ts';

/** The store in Postgres: each method is one statement of `sql/`. */
export function createPostgresLedgerStore(
  pool: Pool,
): Pick<LedgerStore, 'lease' | 'count' | 'release'> {
  return {
    lease: (log, worker) => leasePartitions(pool, log, worker),
    count: (log, _epochMin, batch) => countBatch(pool, log, batch),
    release: (log, workerId) => releasePartitions(pool, log.regionNo, workerId),
  };
}
