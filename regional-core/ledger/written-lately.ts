import type { Clock } from '#common/clock.ts';

/**
 * When something was last written to the log by this process. Bounded: the oldest is forgotten, and
 * at worst written once more, which changes nothing, because the first one read counts.
 */
export class WrittenLately {
  readonly #clock: Pick<Clock, 'monotonicMs'>;
  readonly #keysMax: number;
  /** In the order of writing → monotonic ms. */
  readonly #writtenAtMs = new Map<string, number>();

  constructor(clock: Pick<Clock, 'monotonicMs'>, keysMax: number) {
    this.#clock = clock;
    this.#keysMax = keysMax;
  }

  /** Milliseconds since it was written; Infinity for what was never written, or is forgotten. */
  ageMs(key: string): number {
    return this.#clock.monotonicMs() - (this.#writtenAtMs.get(key) ?? Number.NEGATIVE_INFINITY);
  }

  add(key: string): void {
    this.#writtenAtMs.delete(key);
    this.#writtenAtMs.set(key, this.#clock.monotonicMs());
    const [oldest] = this.#writtenAtMs.keys();
    if (this.#writtenAtMs.size > this.#keysMax) this.#writtenAtMs.delete(oldest!);
  }
}
