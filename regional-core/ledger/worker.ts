import { type Clock, sleep } from '#common/clock.ts';
import type { VoteRecord } from '#common/contracts/vote-submitted.ts';
import type { Log } from '#common/log.ts';
import {
  LogReplacedError,
  OffsetOutOfRangeError,
  type PartitionBatch,
} from '#common/log-reader.ts';
import { isPostgresAway, isReadOnlyError } from '#common/postgres.ts';
import { decodeRecords, SparseBatchError, toCountBatch } from './batch.ts';
import type { LedgerStore } from './ledger-store.ts';
import type { LedgerMetrics } from './metrics.ts';
import type { LogIdentity } from './sql/count-batch.ts';
import type { VoteSource } from './vote-source.ts';

const flushMs = 50;
const batchRecordsMax = 5000;
const renewMs = 1000;
const leaseTtlMs = 5000;
const backOffMs = { min: 50, max: 2000 };

/**
 * Tells of each record, by position, why its ballot is not one that identity opened; undefined when
 * it is. May wait for keys, not longer than a second or two.
 */
export type CheckBallots = (
  records: readonly VoteRecord[],
) => Promise<readonly (string | undefined)[]>;

export interface WorkerParts {
  readonly store: Pick<LedgerStore, 'lease' | 'count' | 'release'>;
  readonly source: VoteSource;
  readonly checkBallots: CheckBallots;
  readonly clock: Clock;
  readonly log: Log;
  readonly metrics: LedgerMetrics;
  readonly workerId: string;
  readonly logIdentity: LogIdentity;
  /** Partitions that the log has now; more may be added to it. */
  readonly partitions: () => number;
  /** The highest epoch read in the region's Kafka: a database below it is an old writer. */
  readonly epochSeen: () => number;
}

/**
 * One worker: leases partitions, reads them, counts. Its only memory of progress is the source's
 * position, and that is thrown away after anything that went wrong: the offsets in the store are the
 * truth, so a commit whose answer was lost, a fence and a fail-over are all mended by reading them.
 */
export class LedgerWorker {
  readonly #parts: WorkerParts;
  #renewedAtMs = Number.NEGATIVE_INFINITY;
  #flushedAtMs = Number.NEGATIVE_INFINITY;
  #waitMs = backOffMs.min;
  #epoch = 0;
  #trouble: string | undefined = 'no partition was leased yet';

  constructor(parts: WorkerParts) {
    this.#parts = parts;
  }

  /** Why this worker counts nothing now; undefined when it does. */
  get trouble(): string | undefined {
    return this.#trouble;
  }

  /** Works until `ending` aborts, then gives its leases back. Throws when only people can help. */
  async run(ending: AbortSignal): Promise<void> {
    const { store, clock, log, logIdentity, workerId } = this.#parts;
    while (!ending.aborted) {
      try {
        await this.#renewWhenDue();
        await this.#countNext(ending);
        this.#waitMs = backOffMs.min;
      } catch (error) {
        if (isBeyondRepair(error)) throw error;
        this.#report(error);
        this.#forget();
        await sleep(this.#waitMs, ending, clock);
        this.#waitMs = Math.min(this.#waitMs * 2, backOffMs.max);
      }
    }
    await store
      .release(logIdentity, workerId)
      .catch((error: unknown) =>
        log.warn({ err: error }, 'leases were not given back; they expire by themselves'),
      );
  }

  /** The lowest epoch believed: what Kafka has told, or what the store itself has said before. */
  #epochMin(): number {
    return Math.max(this.#epoch, this.#parts.epochSeen());
  }

  async #renewWhenDue(): Promise<void> {
    const { store, source, clock, logIdentity, workerId, partitions, metrics } = this.#parts;
    const nowMs = clock.monotonicMs();
    if (nowMs - this.#renewedAtMs < renewMs) return;
    const { epoch, positions } = await store.lease(logIdentity, {
      id: workerId,
      partitions: partitions(),
      ttlMs: leaseTtlMs,
      epochMin: this.#epochMin(),
    });
    this.#epoch = epoch;
    this.#renewedAtMs = nowMs;
    // Kept partitions go on where the source is; new ones start at the offset in the store.
    source.assign(positions);
    metrics.leased(positions.size);
    if (this.#trouble !== undefined)
      this.#parts.log.info({ partitions: positions.size }, 'counting');
    this.#trouble = undefined;
  }

  async #countNext(ending: AbortSignal): Promise<void> {
    const { source, clock, metrics } = this.#parts;
    // Batches matter: 445 µs a vote at one row a call, 12 µs at 500.
    await sleep(this.#flushedAtMs + flushMs - clock.monotonicMs(), ending, clock);
    const read = await source.take(batchRecordsMax, renewMs);
    metrics.lag(lagOf(source));
    if (read.length === 0) return;
    this.#flushedAtMs = clock.monotonicMs();
    await this.#count(read);
  }

  async #count(read: readonly PartitionBatch[]): Promise<void> {
    const { store, checkBallots, clock, log, metrics, logIdentity } = this.#parts;
    const decoded = decodeRecords(read);
    const faults = await checkBallots(decoded.votes.map(({ record }) => record));
    const startedMs = clock.monotonicMs();
    const verdicts = await store.count(
      logIdentity,
      this.#epochMin(),
      toCountBatch(decoded, faults),
    );
    if (verdicts.fenced) {
      log.warn('fenced: another worker counted these records; starting from its offsets');
      metrics.fenced();
      this.#forget();
      return;
    }
    metrics.counted(verdicts, (clock.monotonicMs() - startedMs) / 1000);
  }

  /** Drops every position; the next renewal starts from the offsets in the store. */
  #forget(): void {
    this.#parts.source.assign(new Map());
    this.#renewedAtMs = Number.NEGATIVE_INFINITY;
  }

  #report(error: unknown): void {
    const why = troubleOf(error);
    if (this.#trouble !== why) {
      this.#parts.log[isPostgresAway(error) ? 'warn' : 'error']({ err: error }, `${why}; retrying`);
    }
    this.#trouble = why;
  }
}

/** Away passes by itself; anything else is said in the words of whoever refused. */
function troubleOf(error: unknown): string {
  if (isReadOnlyError(error)) return 'the database is a standby';
  if (isPostgresAway(error)) return 'the database is away';
  return `the batch was refused: ${error instanceof Error ? error.message : String(error)}`;
}

/** Records that are gone or a log with holes: going on would lose votes without a word. */
function isBeyondRepair(error: unknown): boolean {
  return [OffsetOutOfRangeError, SparseBatchError, LogReplacedError].some(
    (kind) => error instanceof kind,
  );
}

function lagOf(source: VoteSource): number {
  let lag = 0;
  const positions = source.positions();
  for (const [partition, end] of source.logEnds()) {
    lag += Math.max(0, end - (positions.get(partition) ?? end));
  }
  return lag;
}
