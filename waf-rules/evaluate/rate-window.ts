/**
 * How many requests a key sent within the window that ends now. Two fixed windows are kept and the
 * earlier one counts by the share of it that still lies within reach:
 *
 *     |---- before ----|---- current --·
 *               |------ reach --------·|
 *
 * AWS says that its rates are "not an exact limit"; this one is off by the unevenness within one
 * window. In exchange a key costs one number, and what is old goes away as a whole.
 */
export class RateWindow {
  readonly #windowMs: number;
  readonly #keysMax: number;
  #index = 0;
  #current = new Map<string, number>();
  #before = new Map<string, number>();

  /** Beyond `keysMax` keys a window, new keys are not counted (AWS limits 10,000 a rule). */
  constructor(windowMs: number, keysMax: number) {
    this.#windowMs = windowMs;
    this.#keysMax = keysMax;
  }

  /** Counts one request of `key` and returns the rate, that request included. */
  add(key: string, atMs: number): number {
    this.#turn(Math.floor(atMs / this.#windowMs));
    const before = this.#current.get(key);
    if (before === undefined && this.#current.size >= this.#keysMax) return 0;
    const count = (before ?? 0) + 1;
    this.#current.set(key, count);
    const earlier = this.#before.get(key);
    if (earlier === undefined) return count;
    const share = 1 - (atMs % this.#windowMs) / this.#windowMs;
    return count + earlier * share;
  }

  #turn(index: number): void {
    if (index <= this.#index) return;
    this.#before = index === this.#index + 1 ? this.#current : new Map();
    this.#current = new Map();
    this.#index = index;
  }
}
