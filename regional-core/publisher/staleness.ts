import type { Clock } from '#common/clock.ts';

/** Without totals for this long they are stale: ten ticks. */
const silentMsMax = 2000;

/**
 * Since when totals hold, to be told to who shows them. They hold at once when the database lies
 * behind what was told, and after a while without any that could be told.
 */
export class Staleness {
  readonly #clock: Clock;
  #sinceMs: number | null;
  /** Undefined until the first read has shown whether what was told before still holds. */
  #isBehind: boolean | undefined;
  #toldAtMs: number;
  #toldAtWallMs: number;

  /** @param sinceMs what was told before */
  constructor(clock: Clock, sinceMs: number | null) {
    this.#clock = clock;
    this.#sinceMs = sinceMs;
    this.#toldAtMs = clock.monotonicMs();
    this.#toldAtWallMs = clock.now();
  }

  /** Wall clock, ms, since when totals hold; null when they do not. */
  get sinceMs(): number | null {
    const silentMs = this.#clock.monotonicMs() - this.#toldAtMs;
    if (this.#isBehind === true) this.#sinceMs ??= this.#clock.now();
    else if (silentMs > silentMsMax) this.#sinceMs ??= this.#toldAtWallMs;
    else if (this.#isBehind === false) this.#sinceMs = null;
    return this.#sinceMs;
  }

  behind(): void {
    this.#isBehind = true;
  }

  told(): void {
    this.#isBehind = false;
    this.#toldAtMs = this.#clock.monotonicMs();
    this.#toldAtWallMs = this.#clock.now();
  }
}
