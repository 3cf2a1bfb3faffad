import type { CountBatch } from './batch.ts';
import type { BatchVerdicts, LogIdentity } from './sql/count-batch.ts';

/**
 * What decides which votes count. Two implementations: Postgres, and a model in memory that loses
 * its tail on demand; one suite of properties holds both.
 *
 * Each method is one transaction: it happens whole or not at all. When one rejects, it is unknown
 * which; the caller reads the offsets (`lease`) before anything else.
 */
export interface LedgerStore {
  /**
   * Renews this worker's leases, takes what is free up to its share, and tells where reading
   * starts. Rejects when the offsets belong to another log, when the region was declared lost, and
   * when the database's epoch is below `epochMin`.
   */
  lease(log: LogIdentity, worker: LeaseRequest): Promise<Lease>;
  /** Counts a batch. `fenced`: another worker was here, or the log is another; nothing changed. */
  count(log: LogIdentity, epochMin: number, batch: CountBatch): Promise<BatchVerdicts>;
  /** Gives all leases of a worker back, so that its successor need not wait. */
  release(log: LogIdentity, workerId: string): Promise<void>;
  /**
   * Sessions that closed at least `closedForMs` ago by the store's own clock and have no seal yet
   * in some of the partitions given.
   */
  unsealed(
    log: LogIdentity,
    partitions: readonly number[],
    closedForMs: number,
  ): Promise<readonly UnsealedSession[]>;
  /** Sessions not settled yet, read through their seals in every partition, added ones too. */
  readThrough(): Promise<readonly string[]>;
  /**
   * Settles such a session: decides the winner among each voter's records and writes the moves as
   * one correction. May take minutes. False: it is settled, being settled, or not read through.
   */
  settle(sessionId: string, ending: AbortSignal): Promise<boolean>;
}

/**
 * `id` tells this worker from every other one, also from itself before a restart. A lease that is
 * not renewed ends after `ttlMs` by the store's clock; `epochMin` is the highest epoch heard of.
 */
export interface LeaseRequest {
  readonly id: string;
  readonly layout: LogLayout;
  readonly ttlMs: number;
  readonly epochMin: number;
}

export interface LogLayout {
  /** Partitions of the log. */
  readonly partitions: number;
  /** They were asked of Kafka no earlier than this true time, ms. */
  readonly readAtMs: number;
}

/** Who reads what, and no guard: a batch is fenced by its offsets. No positions: others hold all. */
export interface Lease {
  readonly epoch: number;
  /** partition → next offset, for all that this worker holds. */
  readonly positions: ReadonlyMap<number, number>;
}

/**
 * `partitions`: of those asked about the ones without its seal, in order, at least one. `version`
 * and `closesAtMs` go into the seal, which is good for this closing time alone.
 */
export interface UnsealedSession {
  readonly sessionId: string;
  readonly version: number;
  readonly closesAtMs: number;
  readonly partitions: readonly number[];
}

/** SQLSTATE VT002: the log's region was declared lost; its records are never read again. */
export function isLogUnread(error: unknown): boolean {
  return (error as { code?: unknown } | undefined)?.code === 'VT002';
}
