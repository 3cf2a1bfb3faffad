import { type Clock, MINUTE_MS, SECOND_MS } from '#common/clock.ts';
import type { Redis } from '#common/redis.ts';

/** Of an access token; `expiresAtMs` is the token's own end, ms since the epoch. */
export interface Revocation {
  readonly jti: string;
  readonly expiresAtMs: number;
}

/** Revocations made since a time; all that have not expired when it is 0. */
export type LoadRevocations = (sinceMs: number, nowMs: number) => Promise<readonly Revocation[]>;

/**
 * How long after a token's `exp` its revocation is kept: more than verifiers tolerate of clocks.
 */
export const revocationMarginMs = 10 * SECOND_MS;

/** Overlap of two loads: longer than any transaction that may commit late. */
const overlapMs = MINUTE_MS;
const writesInAPipeline = 1000;

/**
 * Which access tokens are not good any more. Postgres has the truth; `refresh` (at start and every
 * 30 s) copies what is new into this process and into the region's Redis, where a revocation is
 * seen by the other processes at once. Redis emptied: its marker is gone and the next refresh
 * writes all again. Redis away: this process's own copy answers, at most 30 s old.
 *
 * Memory: about 100 bytes for each token revoked within the last hour.
 */
export class Revocations {
  readonly #load: LoadRevocations;
  readonly #redis: Redis;
  readonly #prefix: string;
  readonly #clock: Clock;
  readonly #expiryByJti = new Map<string, number>();
  #loadedMs = 0;

  constructor(options: { load: LoadRevocations; redis: Redis; prefix: string; clock: Clock }) {
    this.#load = options.load;
    this.#redis = options.redis;
    this.#prefix = options.prefix;
    this.#clock = options.clock;
  }

  /** False until the first refresh has succeeded. */
  get isLoaded(): boolean {
    return this.#loadedMs > 0;
  }

  async isRevoked(jti: string): Promise<boolean> {
    if (this.#expiryByJti.has(jti)) return true;
    try {
      return (await this.#redis.exists(this.#key(jti))) === 1;
    } catch {
      return false;
    }
  }

  /** Makes revocations that Postgres has just stored known here and, if it answers, to Redis. */
  async add(revocations: readonly Revocation[]): Promise<void> {
    for (const { jti, expiresAtMs } of revocations) this.#expiryByJti.set(jti, expiresAtMs);
    // Lost here, the next refresh writes it.
    await this.#write(revocations).catch(() => undefined);
  }

  /** Throws when Postgres is away; what was known stays known. */
  async refresh(): Promise<void> {
    const nowMs = this.#clock.now();
    const news = await this.#load(Math.max(0, this.#loadedMs - overlapMs), nowMs);
    this.#loadedMs = nowMs;
    for (const { jti, expiresAtMs } of news) this.#expiryByJti.set(jti, expiresAtMs);
    for (const [jti, expiresAtMs] of this.#expiryByJti) {
      if (expiresAtMs + revocationMarginMs < nowMs) this.#expiryByJti.delete(jti);
    }
    try {
      const marker = this.#key('filled');
      const all = [...this.#expiryByJti].map(([jti, expiresAtMs]) => ({ jti, expiresAtMs }));
      await this.#write((await this.#redis.exists(marker)) === 1 ? news : all);
      await this.#redis.set(marker, '1');
    } catch {
      // Redis is away: it is filled when it is back.
    }
  }

  async #write(revocations: readonly Revocation[]): Promise<void> {
    for (let from = 0; from < revocations.length; from += writesInAPipeline) {
      const pipeline = this.#redis.pipeline();
      for (const { jti, expiresAtMs } of revocations.slice(from, from + writesInAPipeline)) {
        pipeline.set(this.#key(jti), '1', 'PXAT', expiresAtMs + revocationMarginMs);
      }
      const answers = await pipeline.exec();
      const failed = answers?.find(([error]) => error !== null);
      if (failed?.[0]) throw failed[0];
    }
  }

  #key(jti: string): string {
    return `${this.#prefix}token:blacklist:${jti}`;
  }
}
