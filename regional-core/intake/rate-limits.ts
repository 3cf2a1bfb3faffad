/**
 * How much one voter and one address may send. The same rules hold in Redis, for the region, and in
 * this process while Redis is away: then each process has a share, so that a flood of duplicates
 * cannot reach Kafka because a cache is down.
 */
export interface RateLimits {
  /** Token bucket of one vote id. */
  readonly voterBurst: number;
  readonly voterRefillPerS: number;
  /** Requests of one address in a minute that carry a good ballot; behind a CGNAT sit thousands. */
  readonly addressBallotsPerMinute: number;
  /** Requests of one address in a minute without a good ballot. */
  readonly addressOthersPerMinute: number;
}

/**
 * A voter has one vote to cast, and the page sends it again half a second to a second later, then
 * ever more slowly. Ten at once leave room for several tabs and a changed mind; one a second is
 * more than a page asks for in the long run. A program that goes on faster is refused.
 */
export const voterBurst = 10;
export const voterRefillPerS = 1;

/** Keys a process remembers while Redis is away; the oldest are forgotten first. */
export const localKeysMax = 50_000;

interface Bucket {
  tokens: number;
  atMs: number;
}

/** Token buckets by key, bounded in number. */
export class TokenBuckets {
  readonly #burst: number;
  readonly #refillPerMs: number;
  readonly #buckets = new Map<string, Bucket>();

  constructor(burst: number, refillPerS: number) {
    this.#burst = burst;
    this.#refillPerMs = refillPerS / 1000;
  }

  /** Takes a token; gives 0 when there was one, else the milliseconds until there will be. */
  take(key: string, nowMs: number): number {
    const held = this.#buckets.get(key);
    const tokens =
      held === undefined
        ? this.#burst
        : Math.min(this.#burst, held.tokens + Math.max(0, nowMs - held.atMs) * this.#refillPerMs);
    const enough = tokens >= 1;
    // Deleted and set again, so that the map's order is the order of last use.
    this.#buckets.delete(key);
    this.#buckets.set(key, { tokens: enough ? tokens - 1 : tokens, atMs: nowMs });
    if (this.#buckets.size > localKeysMax) {
      this.#buckets.delete(this.#buckets.keys().next().value!);
    }
    return enough ? 0 : Math.ceil((1 - tokens) / this.#refillPerMs);
  }

  get size(): number {
    return this.#buckets.size;
  }
}
