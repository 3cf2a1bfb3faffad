import type { Clock } from '#common/clock.ts';
import type { Log } from '#common/log.ts';

/**
 * Keeps a store that may be away from slowing what can do without it.
 *
 *   closed ── a call fails, or the oldest is unanswered for too long ──► open: nobody waits for it
 *   open ── after its rest the next call is made aside, nobody waits for it ──► closed, or open
 *
 * When it opens, all who wait go on at once: however many they are, none waits longer than the
 * oldest did. While it is open a call costs nothing, and one at a time tries whether the store is
 * back.
 *
 * The wait is counted in beats of the event loop: a process that stood still for a second counts
 * one beat of it, because what the store answered meanwhile lies unread in the socket.
 */
export class Breaker {
  readonly #clock: Clock;
  readonly #log: Log;
  readonly #store: string;
  readonly #answerMsMax: number;
  readonly #restMs: number;
  readonly #waiting = new Set<Waiting>();
  #state: 'closed' | 'open' | 'trying' = 'closed';
  #restUntilMs = 0;
  #cancelBeat: (() => void) | undefined;
  #turnedMs = 0;

  constructor(options: {
    readonly clock: Clock;
    readonly log: Log;
    /** What is guarded, for the log. */
    readonly store: string;
    /** The longest that anybody waits for an answer. */
    readonly answerMsMax: number;
    /** How long it stays open before the store is tried. */
    readonly restMs: number;
  }) {
    this.#answerMsMax = options.answerMsMax;
    this.#restMs = options.restMs;
    this.#clock = options.clock;
    this.#log = options.log;
    this.#store = options.store;
  }

  get isOpen(): boolean {
    return this.#state !== 'closed';
  }

  /** While it is open: the monotonic time until which the store is not tried. */
  get restUntilMs(): number {
    return this.#state === 'trying' ? Infinity : this.#restUntilMs;
  }

  /** What the store answered; undefined when it was not asked or did not answer in time. */
  ask<T>(call: () => Promise<T>): Promise<T | undefined> {
    if (this.#state === 'closed') return this.#wait(call);
    if (this.#state === 'open' && this.#clock.monotonicMs() >= this.#restUntilMs) {
      this.#state = 'trying';
      void this.#wait(call);
    }
    return Promise.resolve(undefined);
  }

  #wait<T>(call: () => Promise<T>): Promise<T | undefined> {
    return new Promise((resolve) => {
      const waiting: Waiting = {
        sinceMs: this.#turnedMs,
        goOn: () => resolve(undefined),
      };
      this.#waiting.add(waiting);
      this.#watch();
      void this.#make(call, waiting, resolve);
    });
  }

  async #make<T>(
    call: () => Promise<T>,
    waiting: Waiting,
    answered: (answer: T) => void,
  ): Promise<void> {
    try {
      const answer = await call();
      // One that comes after the breaker opened says nothing about the store as it is now.
      if (this.#waiting.delete(waiting)) this.#close();
      answered(answer);
    } catch (error) {
      if (this.#waiting.has(waiting)) this.#open(error);
    }
  }

  #watch(): void {
    if (this.#waiting.size === 0 || this.#cancelBeat !== undefined) return;
    const beganMs = this.#clock.monotonicMs();
    const beatMs = this.#answerMsMax / beatsMax;
    this.#cancelBeat = this.#clock.after(beatMs, () => {
      this.#cancelBeat = undefined;
      this.#turnedMs += Math.min(beatMs, this.#clock.monotonicMs() - beganMs);
      const [oldest] = this.#waiting;
      if (oldest !== undefined && this.#turnedMs - oldest.sinceMs >= this.#answerMsMax) {
        this.#open(new Error(`no answer within ${this.#answerMsMax} ms`));
      }
      this.#watch();
    });
  }

  #close(): void {
    if (this.#state === 'trying') this.#log.info(`${this.#store} answers again`);
    this.#state = 'closed';
  }

  #open(error: unknown): void {
    if (this.#state === 'closed') this.#log.warn({ err: error }, `${this.#store} is not asked now`);
    this.#state = 'open';
    this.#restUntilMs = this.#clock.monotonicMs() + this.#restMs;
    const waiting = [...this.#waiting];
    this.#waiting.clear();
    for (const { goOn } of waiting) goOn();
  }
}

/** A wait is measured in so many beats. */
const beatsMax = 4;

interface Waiting {
  /** By the time for which the loop has turned. */
  readonly sinceMs: number;
  readonly goOn: () => void;
}
