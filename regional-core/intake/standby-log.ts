import type { Clock } from '#common/clock.ts';
import type { Log } from '#common/log.ts';
import { BatchSender, type ProduceObserver } from './batch-sender.ts';
import { Breaker } from './breaker.ts';
import type { OutgoingRecord, VoteLog } from './vote-log.ts';

/** What becomes of a vote when it cannot be copied: it is refused, or its receipt says less. */
export const standbyChoices = ['refuse', 'accept'] as const;
export type StandbyChoice = (typeof standbyChoices)[number];

/** Two attempts: one dead broker of the other region does not make the region away. */
const answerMsMax = 900;
const restMs = 1000;

/**
 * Copies of this region's votes in another region's Kafka (`vote-standby`), which only a region
 * that was declared lost is read from. Away, it costs the first votes 0.9 s and the next ones
 * nothing: a breaker opens, and once a second one batch tries aside whether it is back. An
 * acknowledgement of a cluster whose settings are not known may be worth one copy on one disk, so
 * until they are known it counts as away, and no vote is tried.
 */
export class StandbyLog {
  readonly #sender: BatchSender;
  readonly #clock: Clock;
  readonly #choice: StandbyChoice;
  readonly #breaker: Breaker;
  readonly #isSafe: () => boolean;
  #nextTrialMs = 0;

  constructor(options: {
    /** The other region's. */
    readonly standby: VoteLog;
    readonly observer: ProduceObserver;
    readonly clock: Clock;
    readonly log: Log;
    readonly choice: StandbyChoice;
    /** Whether the other region's Kafka is known to be set as declared. */
    readonly isSafe: () => boolean;
  }) {
    const { standby, observer, clock, log, choice } = options;
    this.#isSafe = options.isSafe;
    this.#sender = new BatchSender(standby, clock, observer);
    this.#clock = clock;
    this.#choice = choice;
    const store = 'the standby log';
    this.#breaker = new Breaker({ clock, log, store, answerMsMax, restMs });
  }

  get isAway(): boolean {
    return this.#breaker.isOpen || !this.#isSafe();
  }

  /** Whether a vote that lies in the own log alone may be answered with a 201. */
  get mayBeMissing(): boolean {
    return this.#choice === 'accept';
  }

  /**
   * True while a vote must be refused before anything is written of it. Once a second one is let
   * through to try: its outcome will be unknown if the standby is still away.
   */
  refuses(): boolean {
    if (this.mayBeMissing || !this.isAway) return false;
    if (!this.#isSafe()) return true;
    const nowMs = this.#clock.monotonicMs();
    if (nowMs < Math.max(this.#breaker.restUntilMs, this.#nextTrialMs)) return true;
    this.#nextTrialMs = nowMs + restMs;
    return false;
  }

  /**
   * True once every record is durable there too, in as many copies as declared; false when nobody
   * should wait for it.
   */
  async copy(records: readonly OutgoingRecord[], deadlineMs: number): Promise<boolean> {
    const written = await this.#breaker.ask(() => this.#sender.send(records, deadlineMs));
    return written !== undefined && this.#isSafe();
  }
}
