import type { Clock } from '#common/clock.ts';
import type { Log } from '#common/log.ts';
import type { LedgerMetrics } from './metrics.ts';

/** A stopped partition is tried again this often: what was repaired goes on without a restart. */
const againMs = 30_000;

interface Parts {
  readonly clock: Pick<Clock, 'monotonicMs'>;
  readonly log: Log;
  readonly metrics: Pick<LedgerMetrics, 'stopped'>;
  readonly source: {
    assign(positions: ReadonlyMap<number, number>): void;
    positions(): ReadonlyMap<number, number>;
  };
}

/**
 * The partitions that this worker holds and cannot count: each stays where it is, its lease kept,
 * so that no record is ever skipped, while the others go on.
 */
export class StoppedPartitions {
  readonly #parts: Parts;
  readonly #stopped = new Map<number, { readonly why: string; readonly atMs: number }>();

  constructor(parts: Parts) {
    this.#parts = parts;
  }

  get trouble(): string | undefined {
    const [first] = this.#stopped;
    return first && `partition ${first[0]} is stopped: ${first[1].why}`;
  }

  stop(partition: number, error: unknown): void {
    const { clock, log, metrics, source } = this.#parts;
    const why = error instanceof Error ? error.message : String(error);
    log.error({ err: error, partition }, 'a partition is stopped; a person must look');
    this.#stopped.set(partition, { why, atMs: clock.monotonicMs() });
    metrics.stopped(this.#stopped.size);
    source.assign(new Map([...source.positions()].filter(([held]) => held !== partition)));
  }

  /** The positions of a lease but for the partitions that stand still. */
  without(positions: ReadonlyMap<number, number>): ReadonlyMap<number, number> {
    const { clock, metrics } = this.#parts;
    for (const [partition, { atMs }] of this.#stopped) {
      // Given away, or due for another try.
      const isDue = clock.monotonicMs() - atMs >= againMs;
      if (isDue || !positions.has(partition)) this.#stopped.delete(partition);
    }
    metrics.stopped(this.#stopped.size);
    return new Map([...positions].filter(([partition]) => !this.#stopped.has(partition)));
  }
}
