import { createHmac, type KeyObject } from 'node:crypto';
import { readFileSync } from 'node:fs';
import type { Redis } from '#common/redis.ts';
import { doneMs, pendingMs } from './claim.ts';
import type { ClaimAnswer, ClaimRequest, ClaimStore } from './claim-store.ts';
import type { RateLimits } from './rate-limits.ts';

/**
 * Claims and limits in the region's Redis: two scripts sent at once, because in a cluster their
 * keys lie on different nodes. Key names show no user data: a vote id is an HMAC already, an
 * address is put in as one. Errors and time-outs of the client are passed on as they come.
 */
export class RedisClaimStore implements ClaimStore {
  readonly #redis: ScriptedRedis;
  readonly #prefix: string;
  readonly #limits: RateLimits;
  readonly #nameKey: KeyObject;

  constructor(options: {
    readonly redis: Redis;
    readonly prefix: string;
    readonly limits: RateLimits;
    /** A key that all intakes of a region share: names made with it say no address. */
    readonly nameKey: KeyObject;
  }) {
    this.#redis = defineScripts(options.redis);
    this.#prefix = options.prefix;
    this.#limits = options.limits;
    this.#nameKey = options.nameKey;
  }

  async admit({ addressKey, voteId, pending }: ClaimRequest): Promise<ClaimAnswer> {
    const { voterBurst, voterRefillPerS, addressBallotsPerMinute } = this.#limits;
    const [addressWaitMs, [voterWaitMs, held]] = await Promise.all([
      this.#redis.addressWindow(this.#addressKey('ballot', addressKey), addressBallotsPerMinute),
      this.#redis.claimVoteBuffer(
        this.#key('rate', voteId),
        this.#key('vote', voteId),
        voterBurst,
        voterRefillPerS,
        pending,
        pendingMs,
      ),
    ]);
    return { addressWaitMs, voterWaitMs, held: held.length === 0 ? undefined : held };
  }

  countStranger(addressKey: string): Promise<number> {
    const key = this.#addressKey('no-ballot', addressKey);
    return this.#redis.addressWindow(key, this.#limits.addressOthersPerMinute);
  }

  async finish(voteId: string, done: Buffer): Promise<void> {
    await this.#redis.finishClaim(this.#key('vote', voteId), done, doneMs);
  }

  async withdraw(voteId: string, pending: Buffer): Promise<void> {
    await this.#redis.withdrawClaim(this.#key('vote', voteId), pending);
  }

  #addressKey(kind: 'ballot' | 'no-ballot', address: string): string {
    const named = createHmac('sha256', this.#nameKey).update(`rate/v1:${kind}:${address}`);
    return this.#key('rate', named.digest().subarray(0, 16).toString('base64url'));
  }

  /** Braces: in a cluster, everything about one voter lies on one node. */
  #key(kind: 'rate' | 'vote', id: string): string {
    return `${this.#prefix}${kind}:{${id}}`;
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
