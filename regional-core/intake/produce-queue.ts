import { type Clock, sleep } from '#common/clock.ts';
import { PartitionPicker } from './partition-picker.ts';
import type { OutgoingRecord, VoteLog } from './vote-log.ts';

/** Where a record lies, for its receipt. */
export interface Place {
  readonly partition: number;
  readonly offset: number;
}

/** The record may or may not be in the log: only the state of the vote tells. */
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

interface Waiting {
  readonly record: OutgoingRecord;
  readonly enqueuedMs: number;
  readonly resolve: (place: Place) => void;
  readonly reject: (error: OutcomeUnknownError) => void;
}

const lingerMs = 5;
export const batchRecordsMax = 512;
const attemptMs = 400;
export const produceDeadlineMs = 2000;
/** Records waiting or under way: two seconds of a process's highest rate. Past it: overloaded. */
export const queueRecordsMax = 20_000;

/**
 * One queue a process. A flush, every 5 ms or 512 records, goes whole to one partition, so batches
 * stay full however many partitions and processes there are. An attempt has 400 ms; then the same
 * records go to a partition of another leader, until 2 s after they came: unknown outcome.
 */
export class ProduceQueue {
  readonly #log: VoteLog;
  readonly #clock: Clock;
  readonly #observer: ProduceObserver;
  readonly #picker = new PartitionPicker();
  #waiting: Waiting[] = [];
  #timer: NodeJS.Timeout | undefined;
  #held = 0;

  constructor(log: VoteLog, clock: Clock, observer: ProduceObserver) {
    this.#log = log;
    this.#clock = clock;
    this.#observer = observer;
  }

  /** Asked before the claim: a claim taken before a full queue would be a leaked claim. */
  hasRoom(): boolean {
    return this.#held < queueRecordsMax;
  }

  /** Records that have no answer yet. */
  get held(): number {
    return this.#held;
  }

  /** Resolves once the record is durable; rejects with OutcomeUnknownError, never otherwise. */
  append(record: OutgoingRecord): Promise<Place> {
    this.#held++;
    return new Promise((resolve, reject) => {
      this.#waiting.push({ record, enqueuedMs: this.#clock.monotonicMs(), resolve, reject });
      if (this.#waiting.length >= batchRecordsMax) this.#flush();
      else this.#timer ??= setTimeout(() => this.#flush(), lingerMs);
    });
  }

  /** Resolves when nothing is held any more; for the drain. Bounded by the produce deadline. */
  async idle(): Promise<void> {
    this.#flush();
    while (this.#held > 0) await sleep(lingerMs);
  }

  #flush(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    const batch = this.#waiting;
    this.#waiting = [];
    if (batch.length > 0) void this.#send(batch);
  }

  async #send(batch: readonly Waiting[]): Promise<void> {
    const deadlineMs = batch[0]!.enqueuedMs + produceDeadlineMs;
    const records = batch.map(({ record }) => record);
    const triedLeaders = new Set<number>();
    let failure: unknown = new Error('no partition has a leader');
    for (;;) {
      const nowMs = this.#clock.monotonicMs();
      const leftMs = deadlineMs - nowMs;
      if (leftMs <= 0) break;
      const target = this.#picker.pick(this.#log.partitions(), triedLeaders, nowMs);
      if (target === undefined) {
        this.#log.refresh();
        await sleep(Math.min(50, leftMs));
        continue;
      }
      try {
        const appended = this.#log.append(target.partition, records);
        const base = await withDeadline(appended, Math.min(attemptMs, leftMs));
        this.#observer.attempted('ok', batch.length, (this.#clock.monotonicMs() - nowMs) / 1000);
        this.#answer(batch, target.partition, base);
        return;
      } catch (error) {
        failure = error;
        this.#observer.attempted('failed', batch.length, attemptMs / 1000);
        triedLeaders.add(target.leader);
        this.#picker.failed(target.leader, this.#clock.monotonicMs());
        this.#log.refresh();
        // A refusal comes at once: without a pause the deadline would be spent on a dead broker.
        await sleep(25);
      }
    }
    this.#held -= batch.length;
    for (const { reject } of batch) reject(new OutcomeUnknownError(failure));
  }

  // Point of no return: the records are durable. A crash from here on costs the voters the answer,
  // not the vote: the same choice sent again gets the same vote id and code.
  #answer(batch: readonly Waiting[], partition: number, base: number): void {
    this.#held -= batch.length;
    for (const [index, { resolve }] of batch.entries())
      resolve({ partition, offset: base + index });
  }
}

async function withDeadline<T>(work: Promise<T>, ms: number): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`no acknowledgement within ${ms} ms`)), ms);
  });
  // An answer after the deadline is nobody's: the record is then in the log twice, and replayed.
  work.catch(() => undefined);
  try {
    return await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
}
