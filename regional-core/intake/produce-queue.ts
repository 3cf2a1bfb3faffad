import { type Clock, sleep } from '#common/clock.ts';
import type { Durability } from '#common/contracts/receipt.ts';
import {
  attemptMs,
  BatchSender,
  OutcomeUnknownError,
  type ProduceObserver,
  type Written,
} from './batch-sender.ts';
import { Lanes } from './lanes.ts';
import type { StandbyLog } from './standby-log.ts';
import type { OutgoingRecord, VoteLog } from './vote-log.ts';

/** Where a record lies, for its receipt. */
export interface Place {
  readonly partition: number;
  readonly offset: number;
  readonly durability: Durability;
}

/** The record was never sent: nothing was written. */
export class NotSentError extends Error {
  constructor() {
    super('the queue is too slow for its length');
    this.name = 'NotSentError';
  }
}

/** A place in the queue: used once, or given back; giving back a used one does nothing. */
export interface Reservation {
  /** Resolves once the record is durable; rejects with OutcomeUnknownError or NotSentError. */
  readonly append: (record: OutgoingRecord) => Promise<Place>;
  readonly release: () => void;
}

interface Waiting {
  readonly session: string;
  readonly record: OutgoingRecord;
  readonly enqueuedMs: number;
  readonly resolve: (place: Place) => void;
  readonly reject: (error: unknown) => void;
}

const lingerMs = 5;
export const batchRecordsMax = 512;
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
 * whole to one partition, so batches stay full however many partitions and processes there are;
 * sessions take turns in it. Until 2 s after its oldest record came a batch is tried: then the
 * outcome is unknown. A record that has waited too long to get an attempt was never sent:
 * overloaded.
 *
 * With a standby log a batch goes to both at once. The word `two-regions` is given when both have
 * acknowledged it, and only then.
 */
export class ProduceQueue {
  readonly #sender: BatchSender;
  readonly #standby: StandbyLog | undefined;
  readonly #clock: Clock;
  readonly #durability: Durability;
  readonly #lanes = new Lanes<Waiting>(queueRecordsMax);
  #cancelLinger: (() => void) | undefined;
  #underWay = 0;

  constructor(options: {
    /** The region's own log. */
    readonly log: VoteLog;
    readonly observer: ProduceObserver;
    readonly standby?: StandbyLog | undefined;
    readonly clock: Clock;
    /** What an acknowledgement of the own log is worth. */
    readonly durability: Exclude<Durability, 'two-regions'>;
  }) {
    this.#sender = new BatchSender(options.log, options.clock, options.observer);
    this.#standby = options.standby;
    this.#clock = options.clock;
    this.#durability = options.durability;
  }

  /**
   * A place in the queue, or undefined when there is none for this session. Taken before the claim:
   * a claim taken before a full queue would be a leaked claim.
   */
  reserve(session: string): Reservation | undefined {
    if (this.#standby?.refuses() || !this.#lanes.reserve(session)) return undefined;
    let open = true;
    return {
      append: (record) => {
        open = false;
        return this.#append(session, record);
      },
      release: () => {
        if (open) this.#lanes.release(session);
        open = false;
      },
    };
  }

  /** Places taken: records that have no answer yet, and those on their way here. */
  get held(): number {
    return this.#lanes.held;
  }

  /** How long the oldest record has waited for its turn, ms. */
  waitedMs(): number {
    const nowMs = this.#clock.monotonicMs();
    return nowMs - (this.#lanes.oldestMs() ?? nowMs);
  }

  /** Resolves when nothing is held any more; for the drain. Bounded by the produce deadline. */
  async idle(): Promise<void> {
    this.#flush();
    while (this.held > 0) await sleep(lingerMs, undefined, this.#clock);
  }

  #append(session: string, record: OutgoingRecord): Promise<Place> {
    return new Promise((resolve, reject) => {
      const enqueuedMs = this.#clock.monotonicMs();
      this.#lanes.push(session, { session, record, enqueuedMs, resolve, reject });
      if (this.#lanes.waiting >= batchRecordsMax) this.#flush();
      else if (this.#underWay < batchesMax) {
        this.#cancelLinger ??= this.#clock.after(lingerMs, () => this.#flush());
      }
    });
  }

  #flush(): void {
    this.#cancelLinger?.();
    this.#cancelLinger = undefined;
    this.#dropExpired();
    while (this.#lanes.waiting > 0 && this.#underWay < batchesMax) {
      this.#underWay++;
      void this.#send(this.#lanes.take(batchRecordsMax)).finally(() => {
        this.#underWay--;
        // Those who came while all were under way have no timer.
        if (this.#cancelLinger === undefined) this.#flush();
      });
    }
  }

  /** Those that could not be given a whole attempt any more: nothing was written of them. */
  #dropExpired(): void {
    const latestMs = this.#clock.monotonicMs() - (produceDeadlineMs - attemptMs);
    for (const { session, reject } of this.#lanes.takeOlder(latestMs)) {
      this.#lanes.release(session);
      reject(new NotSentError());
    }
  }

  /** Never rejects. */
  async #send(batch: readonly Waiting[]): Promise<void> {
    const cameMs = Math.min(...batch.map(({ enqueuedMs }) => enqueuedMs));
    const deadlineMs = cameMs + produceDeadlineMs;
    const records = batch.map(({ record }) => record);
    try {
      const copied = this.#standby?.copy(records, deadlineMs);
      const written = await this.#sender.send(records, deadlineMs);
      this.#answer(batch, written, await this.#durabilityOf(copied));
    } catch (error) {
      for (const { session, reject } of batch) {
        this.#lanes.release(session);
        reject(error);
      }
    }
  }

  /** What the acknowledgements are worth together. Throws when they are worth no answer. */
  async #durabilityOf(copied: Promise<boolean> | undefined): Promise<Durability> {
    if (this.#standby === undefined) return this.#durability;
    if (await copied) return 'two-regions';
    if (this.#standby.mayBeMissing) return this.#durability;
    throw new OutcomeUnknownError(new Error('not acknowledged by the standby log'));
  }

  // Point of no return: the records are durable. A crash from here on costs the voters the answer,
  // not the vote: the same choice sent again gets the same vote id and code.
  #answer(batch: readonly Waiting[], { partition, base }: Written, durability: Durability): void {
    for (const [index, { session, resolve }] of batch.entries()) {
      this.#lanes.release(session);
      resolve({ partition, offset: base + index, durability });
    }
  }
}
