import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { addressKey } from '#common/address-key.ts';
import type { Clock } from '#common/clock.ts';
import type { Log } from '#common/log.ts';
import type { Redis } from '#common/redis.ts';
import {
  type Claim,
  type DoneClaim,
  decodeClaim,
  doneMs,
  encodeDone,
  encodePending,
  pendingMs,
} from './claim.ts';
import { type RateLimits, TokenBuckets } from './rate-limits.ts';

/** How a submission stands with the limits and with what was submitted before it. */
export type Admission =
  | { readonly limited: true; readonly retryMs: number }
  | { readonly limited: false; readonly held: Claim | undefined };

/** After a failure Redis is not asked for this long: a slow store must not slow every vote. */
const restMs = 1000;
/** DONE claims being written at once; past it one is dropped, which costs a duplicate at most. */
const finishingMax = 2000;

/**
 * Rates and claims in one round trip: two scripts sent at once, because in a cluster their keys lie
 * on different nodes. Redis away, slow or full: the claim is skipped, this process's own limits
 * take over, votes go on.
 */
export class Claims {
  readonly #redis: ScriptedRedis;
  readonly #prefix: string;
  readonly #limits: RateLimits;
  readonly #clock: Clock;
  readonly #log: Log;
  readonly #onAway: () => void;
  readonly #localVoters: TokenBuckets;
  readonly #localBallots: TokenBuckets;
  readonly #localOthers: TokenBuckets;
  #restUntilMs = 0;
  #finishing = 0;

  constructor(options: {
    redis: Redis;
    prefix: string;
    limits: RateLimits;
    clock: Clock;
    log: Log;
    /** Called once per request that went on without Redis. */
    onAway: () => void;
  }) {
    const { limits } = options;
    this.#redis = defineScripts(options.redis);
    this.#prefix = options.prefix;
    this.#limits = limits;
    this.#clock = options.clock;
    this.#log = options.log;
    this.#onAway = options.onAway;
    this.#localVoters = new TokenBuckets(limits.voterBurst, limits.voterRefillPerS);
    this.#localBallots = perMinute(limits.addressBallotsPerMinute);
    this.#localOthers = perMinute(limits.addressOthersPerMinute);
  }

  /** Counts a submission with a good ballot and claims the vote for its choice. */
  async admit(address: string, voteId: string, choice: Buffer): Promise<Admission> {
    if (this.#resting()) return this.#admitLocally(address, voteId);
    const pending = encodePending(choice, randomBytes(8));
    const { voterBurst, voterRefillPerS, addressBallotsPerMinute } = this.#limits;
    const claimKey = this.#key('vote', voteId);
    try {
      const [addressWaitMs, [voterWaitMs, held]] = await Promise.all([
        this.#redis.addressWindow(this.#key('rate', addressKey(address)), addressBallotsPerMinute),
        this.#redis.claimVoteBuffer(
          this.#key('rate', voteId),
          claimKey,
          voterBurst,
          voterRefillPerS,
          pending,
          pendingMs,
        ),
      ]);
      if (addressWaitMs > 0 && voterWaitMs === 0 && held.length === 0) {
        this.#inBackground(this.#redis.withdrawClaim(claimKey, pending));
      }
      const retryMs = Math.max(addressWaitMs, voterWaitMs);
      if (retryMs > 0) return { limited: true, retryMs };
      return { limited: false, held: held.length === 0 ? undefined : decodeClaim(held) };
    } catch (error) {
      this.#rest(error);
      return this.#admitLocally(address, voteId);
    }
  }

  /** Counts a request without a good ballot; gives the wait in ms, 0 when it is within bounds. */
  async countStranger(address: string): Promise<number> {
    if (!this.#resting()) {
      try {
        const key = this.#key('rate', `${addressKey(address)}:no-ballot`);
        return await this.#redis.addressWindow(key, this.#limits.addressOthersPerMinute);
      } catch (error) {
        this.#rest(error);
      }
    }
    return this.#localOthers.take(addressKey(address), this.#clock.monotonicMs());
  }

  /** Writes DONE off the request's path. Losing it costs one duplicate record, never a vote. */
  finish(voteId: string, choice: Buffer, done: DoneClaim): void {
    if (this.#resting() || this.#finishing >= finishingMax) return;
    this.#finishing++;
    const written = this.#redis.finishClaim(
      this.#key('vote', voteId),
      encodeDone(choice, done),
      doneMs,
    );
    this.#inBackground(written.finally(() => this.#finishing--));
  }

  #admitLocally(address: string, voteId: string): Admission {
    this.#onAway();
    const nowMs = this.#clock.monotonicMs();
    const retryMs = Math.max(
      this.#localBallots.take(addressKey(address), nowMs),
      this.#localVoters.take(voteId, nowMs),
    );
    return retryMs > 0 ? { limited: true, retryMs } : { limited: false, held: undefined };
  }

  /** Braces: in a cluster, everything about one voter lies on one node. */
  #key(kind: 'rate' | 'vote', id: string): string {
    return `${this.#prefix}${kind}:{${id}}`;
  }

  #resting(): boolean {
    return this.#clock.monotonicMs() < this.#restUntilMs;
  }

  #rest(error: unknown): void {
    this.#restUntilMs = this.#clock.monotonicMs() + restMs;
    this.#log.debug({ err: error }, 'redis did not answer; claims are skipped for a moment');
  }

  #inBackground(command: Promise<unknown>): void {
    command.catch((error: unknown) => this.#rest(error));
  }
}

interface ScriptedRedis {
  addressWindow(key: string, limit: number): Promise<number>;
  claimVoteBuffer(
    bucketKey: string,
    claimKey: string,
    burst: number,
    refillPerS: number,
    pending: Buffer,
    pendingMs: number,
  ): Promise<[waitMs: number, held: Buffer]>;
  finishClaim(claimKey: string, done: Buffer, doneMs: number): Promise<number>;
  withdrawClaim(claimKey: string, pending: Buffer): Promise<number>;
}

/** ioredis sends a script by its hash and again in full when the server has forgotten it. */
function defineScripts(redis: Redis): ScriptedRedis {
  const define = (name: string, file: string, numberOfKeys: number): void => {
    const lua = readFileSync(`${import.meta.dirname}/${file}`, 'utf8');
    redis.defineCommand(name, { lua, numberOfKeys });
  };
  define('addressWindow', 'address-window.lua', 1);
  define('claimVote', 'claim-vote.lua', 2);
  define('finishClaim', 'finish-claim.lua', 1);
  define('withdrawClaim', 'withdraw-claim.lua', 1);
  return redis as unknown as ScriptedRedis;
}

function perMinute(count: number): TokenBuckets {
  return new TokenBuckets(count, count / 60);
}
