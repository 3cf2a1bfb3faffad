import type { Clock } from '#common/clock.ts';

/**
 * When things were last done by this process. Bounded: the oldest is forgotten and at worst done
 * once more, so this is for what may be done again.
 */
export class Lately {
  readonly #clock: Pick<Clock, 'monotonicMs'>;
  readonly #keysMax: number;
  /** In the order of doing → monotonic ms. */
  readonly #doneAtMs = new Map<string, number>();

  constructor(clock: Pick<Clock, 'monotonicMs'>, keysMax: number) {
    this.#clock = clock;
    this.#keysMax = keysMax;
  }

  /** Milliseconds since it was done; Infinity for what never was, or is forgotten. */
  ageMs(key: string): number {
    return this.#clock.monotonicMs() - (this.#doneAtMs.get(key) ?? Number.NEGATIVE_INFINITY);
  }

  add(key: string): void {
    this.#doneAtMs.delete(key);
    this.#doneAtMs.set(key, this.#clock.monotonicMs());
    const [oldest] = this.#doneAtMs.keys();
    if (this.#doneAtMs.size > this.#keysMax) this.#doneAtMs.delete(oldest!);
  }
}
