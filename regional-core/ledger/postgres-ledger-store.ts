import { isOldWriterError, isReadOnlyError, leaveServer, type Pool } from '#common/postgres.ts';
import type { LedgerStore } from './ledger-store.ts';
import { countBatch } from './sql/count-batch.ts';
import { leasePartitions } from './sql/lease-partitions.ts';
import { listUnsealed } from './sql/list-unsealed.ts';
import { releasePartitions } from './sql/release-partitions.ts';
import { listReadThrough, settleSession } from './sql/settle-session.ts';

/**
 * The store in Postgres: each method is one statement of `sql/`. A server that says that it is a
 * standby, or that its database was left behind, is left at once with every connection.
 */
export function createPostgresLedgerStore(pool: Pool): LedgerStore {
  const ask = async <T>(answer: Promise<T>): Promise<T> => {
    try {
      return await answer;
    } catch (error) {
      if (isReadOnlyError(error) || isOldWriterError(error)) leaveServer(pool);
      throw error;
    }
  };
  return {
    lease: (log, worker) => ask(leasePartitions(pool, log, worker)),
    count: (log, epochMin, batch) => ask(countBatch(pool, log, epochMin, batch)),
    release: (log, workerId) => ask(releasePartitions(pool, log.regionNo, workerId)),
    unsealed: (log, partitions, closedForMs) =>
      ask(listUnsealed(pool, log.regionNo, partitions, closedForMs)),
    readThrough: () => ask(listReadThrough(pool)),
    settle: (sessionId, ending) => ask(settleSession(pool, sessionId, ending)),
  };
}
