import { type Clock, MINUTE_MS, SECOND_MS } from '#common/clock.ts';
import { ServiceError } from '#common/errors.ts';

const triesMax = 10;
const votesMax = 100_000;

/**
 * Proofs tried per vote id and minute, in this process: a confirmation code has 50 bits and must
 * not be guessed. Past `votesMax` vote ids the oldest is forgotten.
 */
export class Tries {
  readonly #clock: Clock;
  readonly #windows = new Map<string, { tries: number; readonly endsAtMs: number }>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Counts a try. Throws `rate_limit_exceeded` from the eleventh in a minute on. */
  count(voteId: string): void {
    const nowMs = this.#clock.monotonicMs();
    const held = this.#windows.get(voteId);
    if (held === undefined || nowMs >= held.endsAtMs) {
      // Deleted first, so that the order of the map is the order of the windows' ends.
      this.#windows.delete(voteId);
      this.#windows.set(voteId, { tries: 1, endsAtMs: nowMs + MINUTE_MS });
      this.#forget(nowMs);
      return;
    }
    if (held.tries >= triesMax) {
      const retryAfterS = Math.max(1, Math.ceil((held.endsAtMs - nowMs) / SECOND_MS));
      throw new ServiceError('rate_limit_exceeded', { retryAfterS });
    }
    held.tries++;
  }

  #forget(nowMs: number): void {
    for (const [voteId, { endsAtMs }] of this.#windows) {
      if (endsAtMs > nowMs && this.#windows.size <= votesMax) return;
      this.#windows.delete(voteId);
    }
  }
}
