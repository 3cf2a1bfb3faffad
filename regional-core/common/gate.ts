import type { Clock } from './clock.ts';
import { jitteredRetryS } from './errors.ts';
import { Shares } from './shares.ts';

/** The loop is asked this often whether it turns. */
const beatMs = 10;
/**
 * A turn of the loop may take this long: then its last request has waited as long, and a vote needs
 * four turns (request, Redis, flush, acknowledgement). At five times what it sustains, intake takes
 * as many votes as with 40 ms (m: 1,413 and 1,423 a second), and 99 of 100 refusals are there
 * within 60 to 120 ms instead of 83 to 189.
 */
export const turnMsMax = 25;
/** It may take longer until long turns have gone on for a while: a burst is no overload. */
export const burstMsMax = 300;
/** Long turns add their time, calm takes half of what passes: past it, they have gone on. */
const strainMsMin = 500;
const strainMsMax = 1000;
/** Waiting for a turn in the produce queue: one attempt (400 ms) may fail and nobody is refused. */
export const queueWaitMsMax = 500;
/** Requests that have no answer yet: a full produce queue, and those on their way to it. */
export const inFlightMax = 25_000;
/** From this part of any bound on, a session that has more than its share is refused. */
export const fairFrom = 0.3;
const retryBaseSMax = 30;

/**
 * Who is let in while there is more than this process can take. What it looks at is time, because
 * that is what voters feel: how long this turn of the event loop has taken (those behind wait in
 * their sockets; until long turns have gone on it may take longer: a burst is taken whole), and how
 * long the oldest record waits in the produce queue. Past a bound a request is refused before
 * anything of it is read; refusing is so much cheaper than a vote that five times the rate leaves
 * most of the machine to votes. From 30 % of a bound on, sessions with more than their share are
 * refused, so that a hot one does not slow the others.
 *
 * `Retry-After` grows with the number of the refused: they must not come back faster than they can
 * be taken.
 */
export class Gate {
  readonly #clock: Clock;
  readonly #random: () => number;
  readonly #waitedMs: () => number;
  readonly #shares: Shares;
  #dueMs = Infinity;
  #strainMs = 0;
  #inFlight = 0;
  #cancelBeat: () => void = () => undefined;

  constructor(options: {
    readonly clock: Clock;
    readonly random: () => number;
    /** How long the oldest record in the produce queue has waited for its turn, ms. */
    readonly waitedMs: () => number;
  }) {
    this.#clock = options.clock;
    this.#random = options.random;
    this.#waitedMs = options.waitedMs;
    this.#shares = new Shares(options.clock);
    this.#beat();
  }

  /** Requests let in that have no answer yet. */
  get inFlight(): number {
    return this.#inFlight;
  }

  /** Seconds after which to come again; undefined: come in. Asked before anything is read. */
  refuse(): number | undefined {
    return this.pressure() < 1 ? undefined : this.#turnAway();
  }

  /** The same once it is known which session it is for, and before anything costly. */
  refuseSession(sessionId: string): number | undefined {
    const isHot = this.pressure() >= fairFrom && this.#shares.isHot(sessionId);
    return isHot ? this.#turnAway() : undefined;
  }

  enter(): void {
    this.#inFlight++;
  }

  leave(): void {
    this.#inFlight--;
  }

  /** Puts an answer to a good ballot to its session's account. */
  answered(sessionId: string): void {
    this.#shares.count(sessionId);
  }

  /** How near the worst bound is: 1 at the bound. */
  pressure(): number {
    const mayTakeMs = this.#strainMs < strainMsMin ? burstMsMax : turnMsMax;
    return Math.max(
      (this.#clock.monotonicMs() - this.#dueMs) / mayTakeMs,
      this.#inFlight / inFlightMax,
      this.#waitedMs() / queueWaitMsMax,
    );
  }

  close(): void {
    this.#cancelBeat();
  }

  #beat(): void {
    const nowMs = this.#clock.monotonicMs();
    const lateMs = Math.max(0, nowMs - this.#dueMs);
    const strainMs = this.#strainMs + (lateMs >= turnMsMax ? lateMs : 0) - (lateMs + beatMs) / 2;
    this.#strainMs = Math.min(strainMsMax, Math.max(0, strainMs));
    this.#dueMs = nowMs + beatMs;
    this.#cancelBeat = this.#clock.after(beatMs, () => this.#beat());
  }

  #turnAway(): number {
    const ratio = this.#shares.countRefused();
    return jitteredRetryS(Math.min(retryBaseSMax, 1 + ratio), this.#random);
  }
}
