import { type Clock, MINUTE_MS, SECOND_MS } from '#common/clock.ts';
import { ServiceError } from '#common/errors.ts';

const keysMax = 100_000;

/** Proofs of one vote that may be tried in a minute, and codes from one address. */
export const voteTriesMax = 10;
export const addressTriesMax = 30;

/**
 * Proofs tried per key (a vote id, an address) and minute, at most `triesMax` in this process: a
 * confirmation code has 50 bits and must not be guessed. Past 100,000 keys the oldest is forgotten.
 */
export class Tries {
  readonly #clock: Clock;
  readonly #triesMax: number;
  readonly #windows = new Map<string, { tries: number; readonly endsAtMs: number }>();

  constructor(clock: Clock, triesMax: number) {
    this.#clock = clock;
    this.#triesMax = triesMax;
  }

  /** Counts a try. Throws `rate_limit_exceeded` for those past `triesMax` in a minute. */
  count(key: string): void {
    const nowMs = this.#clock.monotonicMs();
    const held = this.#windows.get(key);
    if (held === undefined || nowMs >= held.endsAtMs) {
      // Deleted first, so that the order of the map is the order of the windows' ends.
      this.#windows.delete(key);
      this.#windows.set(key, { tries: 1, endsAtMs: nowMs + MINUTE_MS });
      this.#forget(nowMs);
      return;
    }
    if (held.tries >= this.#triesMax) {
      const retryAfterS = Math.max(1, Math.ceil((held.endsAtMs - nowMs) / SECOND_MS));
      throw new ServiceError('rate_limit_exceeded', { retryAfterS });
    }
    held.tries++;
  }

  #forget(nowMs: number): void {
    for (const [key, { endsAtMs }] of this.#windows) {
      if (endsAtMs > nowMs && this.#windows.size <= keysMax) return;
      this.#windows.delete(key);
    }
  }
}
