import type { Partition } from '#common/kafka.ts';

/** A broker that failed gets no new batch for this long, while others lead partitions. */
const restMs = 1000;

/**
 * Where the next batch goes. Deduplication is global, so any partition is right: each flush goes
 * whole to the next one in turn, leaders that just failed are passed over, and a batch that is sent
 * again goes to a leader that has not had it.
 */
export class PartitionPicker {
  #turn = 0;
  readonly #restUntilMs = new Map<number, number>();

  /** The partition to send to; undefined when none has a leader. */
  pick(
    partitions: readonly Partition[],
    triedLeaders: ReadonlySet<number>,
    nowMs: number,
  ): Partition | undefined {
    const led = partitions.filter(({ leader }) => leader >= 0);
    const rested = led.filter(({ leader }) => (this.#restUntilMs.get(leader) ?? 0) <= nowMs);
    const fresh = rested.filter(({ leader }) => !triedLeaders.has(leader));
    const untried = led.filter(({ leader }) => !triedLeaders.has(leader));
    for (const candidates of [fresh, untried, rested, led]) {
      if (candidates.length > 0) return candidates[this.#turn++ % candidates.length];
    }
    return undefined;
  }

  failed(leader: number, nowMs: number): void {
    this.#restUntilMs.set(leader, nowMs + restMs);
  }
}
