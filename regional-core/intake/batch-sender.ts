import { type Clock, sleep } from '#common/clock.ts';
import type { Partition } from '#common/kafka.ts';
import { PartitionPicker } from './partition-picker.ts';
import type { OutgoingRecord, VoteLog } from './vote-log.ts';

/** The records may or may not be in the log: only the state of a vote tells. */
export class OutcomeUnknownError extends Error {
  constructor(cause: unknown) {
    super('no acknowledgement before the produce deadline', { cause });
    this.name = 'OutcomeUnknownError';
  }
}

export interface ProduceObserver {
  /** A batch was acknowledged (`ok`) or an attempt at it failed. */
  readonly attempted: (outcome: 'ok' | 'failed', records: number, seconds: number) => void;
}

/** Where a batch lies: the first record's offset, the rest behind it without a gap. */
export interface Written {
  readonly partition: number;
  readonly base: number;
}

/** How an append to one partition ended: with the first record's offset, or with an error. */
interface Attempt {
  readonly leader: number;
  readonly partition: number;
  readonly base: number | undefined;
  readonly error?: unknown;
}

/** A leader has this long to acknowledge a batch; then another gets it, too. */
export const attemptMs = 400;

/**
 * Makes a batch durable in one log, whole in one partition. An attempt has 400 ms; then the same
 * records go to a partition of another leader, until the deadline. A leader that still has them is
 * not given them again: what comes back from a slow broker late is good, and sending more only
 * makes it slower.
 */
export class BatchSender {
  readonly #log: VoteLog;
  readonly #clock: Clock;
  readonly #observer: ProduceObserver;
  readonly #picker = new PartitionPicker();

  constructor(log: VoteLog, clock: Clock, observer: ProduceObserver) {
    this.#log = log;
    this.#clock = clock;
    this.#observer = observer;
  }

  /**
   * Resolves once all records are durable.
   *
   * @param deadlineMs monotonic time after which it rejects with an OutcomeUnknownError
   */
  async send(records: readonly OutgoingRecord[], deadlineMs: number): Promise<Written> {
    const triedLeaders = new Set<number>();
    const attempts = new Map<number, Promise<Attempt>>();
    let failure: unknown = new Error('no partition has a leader');
    for (;;) {
      const nowMs = this.#clock.monotonicMs();
      const leftMs = deadlineMs - nowMs;
      if (leftMs <= 0) break;
      const target = this.#picker.pick(this.#log.partitions(), triedLeaders, nowMs);
      if (target === undefined && attempts.size === 0) {
        this.#log.refresh();
        await this.#sleep(Math.min(50, leftMs));
        continue;
      }
      if (target !== undefined && !attempts.has(target.leader)) {
        attempts.set(target.leader, this.#attempt(target, records));
      }
      const first = await this.#firstOf(attempts.values(), Math.min(attemptMs, leftMs));
      const seconds = (this.#clock.monotonicMs() - nowMs) / 1000;
      if (first?.base !== undefined) {
        this.#observer.attempted('ok', records.length, seconds);
        return { partition: first.partition, base: first.base };
      }
      failure = first?.error ?? new Error(`no acknowledgement within ${attemptMs} ms`);
      this.#observer.attempted('failed', records.length, seconds);
      const leader = first?.leader ?? target?.leader;
      if (leader !== undefined) {
        triedLeaders.add(leader);
        this.#picker.failed(leader, this.#clock.monotonicMs());
      }
      this.#log.refresh();
      if (first === undefined) continue;
      attempts.delete(first.leader);
      // A refusal comes at once: without a pause the deadline would be spent on a dead broker.
      await this.#sleep(25);
    }
    throw new OutcomeUnknownError(failure);
  }

  /** Never rejects. */
  async #attempt(
    { leader, partition }: Partition,
    records: readonly OutgoingRecord[],
  ): Promise<Attempt> {
    try {
      return { leader, partition, base: await this.#log.append(partition, records) };
    } catch (error) {
      return { leader, partition, base: undefined, error };
    }
  }

  /** The first attempt to end; undefined when none has ended in time. */
  async #firstOf(attempts: Iterable<Promise<Attempt>>, ms: number): Promise<Attempt | undefined> {
    let cancel = (): void => undefined;
    const late = new Promise<undefined>((resolve) => {
      cancel = this.#clock.after(ms, () => resolve(undefined));
    });
    try {
      return await Promise.race([...attempts, late]);
    } finally {
      cancel();
    }
  }

  #sleep(ms: number): Promise<void> {
    return sleep(ms, undefined, this.#clock);
  }
}
