import { type Clock, sleep } from '#common/clock.ts';
import type { Durability } from '#common/contracts/receipt.ts';
import type { Partition } from '#common/kafka.ts';
import { PartitionPicker } from './partition-picker.ts';
import type { OutgoingRecord, VoteLog } from './vote-log.ts';

/** Where a record lies, for its receipt. */
export interface Place {
  readonly partition: number;
  readonly offset: number;
  readonly durability: Durability;
}

/** The record may or may not be in the log: only the state of the vote tells. */
export class OutcomeUnknownError extends Error {
  constructor(cause: unknown) {
    super('no acknowledgement before the produce deadline', { cause });
    this.name = 'OutcomeUnknownError';
  }
}

/** The record was never sent: nothing was written. */
export class NotSentError extends Error {
  constructor() {
    super('the queue is too slow for its length');
    this.name = 'NotSentError';
  }
}

/** How an append to one partition ended: with the first record's offset, or with an error. */
interface Attempt {
  readonly leader: number;
  readonly partition: number;
  readonly base: number | undefined;
  readonly error?: unknown;
}

/** A place in the queue: used once, or given back; giving back a used one does nothing. */
export interface Reservation {
  /** Resolves once the record is durable; rejects with OutcomeUnknownError or NotSentError. */
  readonly append: (record: OutgoingRecord) => Promise<Place>;
  readonly release: () => void;
}

export interface ProduceObserver {
  /** A batch was acknowledged (`ok`) or an attempt at it failed. */
  readonly attempted: (outcome: 'ok' | 'failed', records: number, seconds: number) => void;
}

interface Waiting {
  readonly record: OutgoingRecord;
  readonly enqueuedMs: number;
  readonly resolve: (place: Place) => void;
  readonly reject: (error: OutcomeUnknownError | NotSentError) => void;
}

const lingerMs = 5;
export const batchRecordsMax = 512;
const attemptMs = 400;
export const produceDeadlineMs = 2000;
/** Records waiting or under way: two seconds of a process's highest rate. Past it: overloaded. */
export const queueRecordsMax = 20_000;

/**
 * Batches under way at once. While they are, votes gather, so batches grow as Kafka slows: four
 * times fewer requests under load instead of a queue of small ones. The client sends five at a time
 * a broker.
 */
export const batchesMax = 8;

/**
 * One queue a process. A flush, every 5 ms or 512 records while fewer than 8 are under way, goes
 * whole to one partition, so batches stay full however many partitions and processes there are. An
 * attempt has 400 ms; then the same records go to a partition of another leader, until 2 s after
 * they came: unknown outcome. A leader that still has them is not given them again: what comes back
 * from a slow broker late is good, and sending more only makes it slower. A record that has waited
 * too long to get an attempt was never sent: overloaded.
 */
export class ProduceQueue {
  readonly #log: VoteLog;
  readonly #clock: Clock;
  readonly #durability: Durability;
  readonly #observer: ProduceObserver;
  readonly #picker = new PartitionPicker();
  #waiting: Waiting[] = [];
  #cancelLinger: (() => void) | undefined;
  #held = 0;
  #underWay = 0;

  constructor(options: {
    /** The region's own log. */
    readonly log: VoteLog;
    readonly clock: Clock;
    /** What an acknowledgement of that log is worth. */
    readonly durability: Durability;
    readonly observer: ProduceObserver;
  }) {
    this.#log = options.log;
    this.#clock = options.clock;
    this.#durability = options.durability;
    this.#observer = options.observer;
  }

  /**
   * A place in the queue, or undefined when there is none. Taken before the claim: a claim taken
   * before a full queue would be a leaked claim.
   */
  reserve(): Reservation | undefined {
    if (this.#held >= queueRecordsMax) return undefined;
    this.#held++;
    let open = true;
    return {
      append: (record) => {
        open = false;
        return this.#append(record);
      },
      release: () => {
        if (open) this.#held--;
        open = false;
      },
    };
  }

  /** Places taken: records that have no answer yet, and those on their way here. */
  get held(): number {
    return this.#held;
  }

  /** Resolves when nothing is held any more; for the drain. Bounded by the produce deadline. */
  async idle(): Promise<void> {
    this.#flush();
    while (this.#held > 0) await this.#sleep(lingerMs);
  }

  #append(record: OutgoingRecord): Promise<Place> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ record, enqueuedMs: this.#clock.monotonicMs(), resolve, reject });
      if (this.#waiting.length >= batchRecordsMax) this.#flush();
      else if (this.#underWay < batchesMax) {
        this.#cancelLinger ??= this.#clock.after(lingerMs, () => this.#flush());
      }
    });
  }

  #flush(): void {
    this.#cancelLinger?.();
    this.#cancelLinger = undefined;
    this.#dropExpired();
    while (this.#waiting.length > 0 && this.#underWay < batchesMax) {
      this.#underWay++;
      void this.#send(this.#waiting.splice(0, batchRecordsMax)).finally(() => {
        this.#underWay--;
        // Those who came while all were under way have no timer.
        if (this.#cancelLinger === undefined) this.#flush();
      });
    }
  }

  /** Those that could not be given a whole attempt any more: nothing was written of them. */
  #dropExpired(): void {
    const latestMs = this.#clock.monotonicMs() - (produceDeadlineMs - attemptMs);
    const fresh = this.#waiting.findIndex(({ enqueuedMs }) => enqueuedMs > latestMs);
    const expired = this.#waiting.splice(0, fresh < 0 ? this.#waiting.length : fresh);
    this.#held -= expired.length;
    for (const { reject } of expired) reject(new NotSentError());
  }

  async #send(batch: readonly Waiting[]): Promise<void> {
    const deadlineMs = batch[0]!.enqueuedMs + produceDeadlineMs;
    const records = batch.map(({ record }) => record);
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
        this.#observer.attempted('ok', batch.length, seconds);
        this.#answer(batch, first.partition, first.base);
        return;
      }
      failure = first?.error ?? new Error(`no acknowledgement within ${attemptMs} ms`);
      this.#observer.attempted('failed', batch.length, seconds);
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
    this.#held -= batch.length;
    for (const { reject } of batch) reject(new OutcomeUnknownError(failure));
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

  // Point of no return: the records are durable. A crash from here on costs the voters the answer,
  // not the vote: the same choice sent again gets the same vote id and code.
  #answer(batch: readonly Waiting[], partition: number, base: number): void {
    this.#held -= batch.length;
    const durability = this.#durability;
    for (const [index, { resolve }] of batch.entries()) {
      resolve({ partition, offset: base + index, durability });
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
