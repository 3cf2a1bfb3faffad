import { doneMs, pendingMs } from '../../regional-core/intake/claim.ts';
import type {
  ClaimAnswer,
  ClaimRequest,
  ClaimStore,
} from '../../regional-core/intake/claim-store.ts';
import { voterBurst, voterRefillPerS } from '../../regional-core/intake/rate-limits.ts';
import type { Network } from './network.ts';
import type { Process, Timeline } from './timeline.ts';

interface Held {
  readonly bytes: Buffer;
  readonly expiresMs: number;
}

interface Undo {
  readonly key: string;
  readonly before: Held | undefined;
}

/** A region's Redis: what it holds, and the ways in which it forgets. */
export class MemoryRedis {
  readonly #timeline: Timeline;
  readonly #claims = new Map<string, Held>();
  readonly #tokens = new Map<string, { tokens: number; atMs: number }>();
  readonly #undo: Undo[] = [];
  readonly #requests = new Map<string, number>();
  readonly #addressMax: number;
  /** A server that is stopped: it answers nobody until then. */
  stalledUntilMs = 0;

  constructor(timeline: Timeline, addressMax: number) {
    this.#timeline = timeline;
    this.#addressMax = addressMax;
  }

  get isStalled(): boolean {
    return this.stalledUntilMs > this.#timeline.nowMs;
  }

  /** Emptied: restarted without its data, or flushed. */
  forgetAll(): void {
    this.#claims.clear();
    this.#tokens.clear();
    this.#requests.clear();
    this.#undo.length = 0;
  }

  /** A replica takes over that has not had the last writes. */
  failOver(writesLost: number): void {
    for (let lost = 0; lost < writesLost; lost++) {
      const undo = this.#undo.pop();
      if (undo === undefined) return;
      if (undo.before === undefined) this.#claims.delete(undo.key);
      else this.#claims.set(undo.key, undo.before);
    }
  }

  admit({ addressKey, voteId, pending }: ClaimRequest): ClaimAnswer {
    const addressWaitMs = this.countAddress(addressKey, this.#addressMax);
    const voterWaitMs = this.#takeToken(voteId);
    if (voterWaitMs > 0) return { addressWaitMs, voterWaitMs, held: undefined };
    const held = this.#get(voteId);
    const isSamePending = held?.[0] === 1 && held.subarray(1, 9).equals(pending.subarray(1, 9));
    if (held === undefined) this.#set(voteId, pending, pendingMs);
    else if (isSamePending) this.#set(voteId, held, pendingMs);
    return { addressWaitMs, voterWaitMs, held };
  }

  /** A window of a second, where the real one has a minute. */
  countAddress(address: string, max: number): number {
    const key = `${address} ${Math.floor(this.#timeline.nowMs / 1000)}`;
    const requests = this.#requests.get(key) ?? 0;
    if (requests >= max) return 1000;
    this.#requests.set(key, requests + 1);
    return 0;
  }

  finish(voteId: string, done: Buffer): void {
    if (this.#get(voteId)?.[0] !== 2) this.#set(voteId, done, doneMs);
  }

  withdraw(voteId: string, pending: Buffer): void {
    if (this.#get(voteId)?.equals(pending)) {
      this.#undo.push({ key: voteId, before: this.#claims.get(voteId) });
      this.#claims.delete(voteId);
    }
  }

  #get(key: string): Buffer | undefined {
    const held = this.#claims.get(key);
    return held !== undefined && held.expiresMs > this.#timeline.nowMs ? held.bytes : undefined;
  }

  #set(key: string, bytes: Buffer, lifeMs: number): void {
    this.#undo.push({ key, before: this.#claims.get(key) });
    this.#claims.set(key, { bytes, expiresMs: this.#timeline.nowMs + lifeMs });
  }

  #takeToken(voteId: string): number {
    const nowMs = this.#timeline.nowMs;
    const held = this.#tokens.get(voteId);
    const refilled = held && held.tokens + ((nowMs - held.atMs) * voterRefillPerS) / 1000;
    const tokens = Math.min(voterBurst, refilled ?? voterBurst);
    if (tokens < 1) return Math.ceil(((1 - tokens) * 1000) / voterRefillPerS);
    this.#tokens.set(voteId, { tokens: tokens - 1, atMs: nowMs });
    return 0;
  }
}

/** How long a client waits for Redis before it goes on without, ms. */
const commandMs = 100;

/** One process's connection to its region's Redis. */
export class SimulatedClaimStore implements ClaimStore {
  readonly #redis: MemoryRedis;
  readonly #network: Network;
  readonly #process: Process;
  readonly #route: string;

  constructor(parts: { redis: MemoryRedis; network: Network; process: Process; route: string }) {
    this.#redis = parts.redis;
    this.#network = parts.network;
    this.#process = parts.process;
    this.#route = parts.route;
  }

  admit(request: ClaimRequest): Promise<ClaimAnswer> {
    return this.#call('claims.admit', () => this.#redis.admit(request));
  }

  countStranger(addressKey: string): Promise<number> {
    return this.#call('claims.countStranger', () => this.#redis.countAddress(`-${addressKey}`, 15));
  }

  finish(voteId: string, done: Buffer): Promise<void> {
    return this.#call('claims.finish', () => this.#redis.finish(voteId, done));
  }

  withdraw(voteId: string, pending: Buffer): Promise<void> {
    return this.#call('claims.withdraw', () => this.#redis.withdraw(voteId, pending));
  }

  #call<T>(point: string, act: () => T): Promise<T> {
    const redis = this.#redis;
    return this.#network.call<T>({
      from: this.#process,
      point,
      route: this.#route,
      serve: () => (redis.isStalled ? new Promise<T>(() => undefined) : act()),
      patienceMs: commandMs,
      lost: (why) => new Error(`redis: ${why}`),
    });
  }
}
