import { addressKey } from '#common/address-key.ts';
import type { Clock } from '#common/clock.ts';
import type { Log } from '#common/log.ts';
import { Breaker } from './breaker.ts';
import { type Claim, type DoneClaim, decodeClaim, encodeDone, encodePending } from './claim.ts';
import type { ClaimStore } from './claim-store.ts';
import { type RateLimits, TokenBuckets } from './rate-limits.ts';

/** How a submission stands with the limits and with what was submitted before it. */
export type Admission =
  | { readonly limited: true; readonly retryMs: number }
  | {
      readonly limited: false;
      readonly held: Claim | undefined;
      /** The PENDING that this submission wrote; to be withdrawn when nothing was sent. */
      readonly pending?: Buffer | undefined;
    };

/** An answer takes 1 ms; 100 ms are the most that a store may cost a vote, lateness included. */
const answerMsMax = 80;
const restMs = 1000;
/** DONE claims being written at once; past it one is dropped, which costs a duplicate at most. */
const finishingMax = 2000;

/**
 * Rates and claims in one round trip. The store away, slow or full: the claim is skipped, this
 * process's own limits take over, votes go on; it costs a vote 100 ms at most, and nothing while
 * the breaker is open.
 */
export class Claims {
  readonly #store: ClaimStore;
  readonly #breaker: Breaker;
  readonly #clock: Clock;
  readonly #random8: () => Buffer;
  readonly #onAway: () => void;
  readonly #localVoters: TokenBuckets;
  readonly #localBallots: TokenBuckets;
  readonly #localOthers: TokenBuckets;
  #finishing = 0;

  constructor(options: {
    readonly store: ClaimStore;
    readonly limits: RateLimits;
    readonly clock: Clock;
    readonly log: Log;
    /** 8 random bytes: the tag by which a claim's writer knows its own. */
    readonly random8: () => Buffer;
    /** Called once per request that went on without the store. */
    readonly onAway: () => void;
  }) {
    const { limits, clock, log } = options;
    this.#store = options.store;
    this.#breaker = new Breaker({ clock, log, store: 'redis', answerMsMax, restMs });
    this.#clock = clock;
    this.#random8 = options.random8;
    this.#onAway = options.onAway;
    this.#localVoters = new TokenBuckets(limits.voterBurst, limits.voterRefillPerS);
    this.#localBallots = perMinute(limits.addressBallotsPerMinute);
    this.#localOthers = perMinute(limits.addressOthersPerMinute);
  }

  /** Counts a submission with a good ballot and claims the vote for its choice. */
  async admit(address: string, voteId: string, choice: Buffer): Promise<Admission> {
    const pending = encodePending(choice, this.#random8());
    const request = { addressKey: addressKey(address), voteId, pending };
    const answer = await this.#breaker.ask(() => this.#store.admit(request));
    if (answer === undefined) return this.#admitLocally(request.addressKey, voteId);
    const { addressWaitMs, voterWaitMs, held } = answer;
    const claimed = voterWaitMs === 0 && held === undefined;
    if (addressWaitMs > 0 && claimed) this.withdraw(voteId, pending);
    const retryMs = Math.max(addressWaitMs, voterWaitMs);
    if (retryMs > 0) return { limited: true, retryMs };
    return {
      limited: false,
      held: held === undefined ? undefined : decodeClaim(held),
      pending: claimed ? pending : undefined,
    };
  }

  /** Counts a request without a good ballot; gives the wait in ms, 0 when it is within bounds. */
  async countStranger(address: string): Promise<number> {
    const key = addressKey(address);
    const waitMs = await this.#breaker.ask(() => this.#store.countStranger(key));
    return waitMs ?? this.#localOthers.take(key, this.#clock.monotonicMs());
  }

  /** Writes DONE off the request's path. Losing it costs one duplicate record, never a vote. */
  finish(voteId: string, choice: Buffer, done: DoneClaim): void {
    this.#aside(() => this.#store.finish(voteId, encodeDone(choice, done)));
  }

  /** Takes a PENDING back, off the request's path: another choice need not wait for its end. */
  withdraw(voteId: string, pending: Buffer): void {
    this.#aside(() => this.#store.withdraw(voteId, pending));
  }

  #aside(write: () => Promise<void>): void {
    if (this.#finishing >= finishingMax) return;
    this.#finishing++;
    void this.#breaker.ask(write).finally(() => this.#finishing--);
  }

  #admitLocally(key: string, voteId: string): Admission {
    this.#onAway();
    const nowMs = this.#clock.monotonicMs();
    const retryMs = Math.max(
      this.#localBallots.take(key, nowMs),
      this.#localVoters.take(voteId, nowMs),
    );
    return retryMs > 0 ? { limited: true, retryMs } : { limited: false, held: undefined };
  }
}

function perMinute(count: number): TokenBuckets {
  return new TokenBuckets(count, count / 60);
}
