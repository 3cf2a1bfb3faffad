import { type Clock, SECOND_MS } from '#common/clock.ts';
import type { Freshness } from './cache-control.ts';

/** An answer that is there as a whole. Headers are flat, and lack only those about the cache. */
export interface WholeAnswer {
  readonly status: number;
  readonly headers: readonly string[];
  readonly etag: string | undefined;
  readonly body: Buffer;
  readonly freshness: Freshness;
}

export interface Served {
  readonly answer: WholeAnswer;
  readonly how: 'hit' | 'stale' | 'miss';
  readonly ageS: number;
}

interface Entry {
  readonly answer: WholeAnswer;
  readonly storedMs: number;
  readonly freshUntilMs: number;
  readonly staleUntilMs: number;
  readonly errorUntilMs: number;
}

/**
 * The cache of one edge, with request collapsing: however many viewers ask for one key at a time,
 * the origin is asked once. May lose everything.
 *
 *   fresh ──► stale, refetched behind the viewer's back ──► only if the origin fails ──► gone
 *     max-age      stale-while-revalidate                      stale-if-error
 *
 * Answers marked private are never shared: those who waited ask for themselves, and for a second
 * nobody waits for that key.
 */
export class Cache {
  readonly #clock: Clock;
  readonly #bytesMax: number;
  readonly #retryMs: number;
  readonly #entries = new Map<string, Entry>();
  readonly #flights = new Map<string, Promise<Served>>();
  #bytes = 0;

  /** `retryS`: how long a failed refetch is not repeated while a stale answer is used. */
  constructor(clock: Clock, bytesMax: number, retryS: number) {
    this.#clock = clock;
    this.#bytesMax = bytesMax;
    this.#retryMs = retryS * SECOND_MS;
  }

  /** `fetch` asks the origin; it resolves with an answer of 5xx where the origin gave none. */
  async serve(key: string, fetch: () => Promise<WholeAnswer>): Promise<Served> {
    const nowMs = this.#clock.monotonicMs();
    const entry = this.#entries.get(key);
    if (entry !== undefined && nowMs < entry.staleUntilMs) {
      if (entry.answer.freshness.kind === 'private') return miss(await fetch());
      const isFresh = nowMs < entry.freshUntilMs;
      if (!isFresh && !this.#flights.has(key)) void this.#fly(key, entry, fetch);
      return hit(entry, isFresh, nowMs);
    }
    const joined = this.#flights.get(key);
    const served = await (joined ?? this.#fly(key, entry, fetch));
    const isShared = joined === undefined || served.answer.freshness.kind === 'shared';
    return isShared ? served : miss(await fetch());
  }

  #fly(key: string, old: Entry | undefined, fetch: () => Promise<WholeAnswer>): Promise<Served> {
    const flight = fetch()
      .then((answer) => this.#land(key, old, answer))
      .finally(() => this.#flights.delete(key));
    this.#flights.set(key, flight);
    return flight;
  }

  #land(key: string, old: Entry | undefined, answer: WholeAnswer): Served {
    const nowMs = this.#clock.monotonicMs();
    if (answer.status >= 500 && old !== undefined && nowMs < old.errorUntilMs) {
      // Kept as it is and asked for again in a second, not by every viewer that comes meanwhile.
      const untilMs = nowMs + this.#retryMs;
      const staleUntilMs = Math.max(old.staleUntilMs, untilMs);
      this.#put(key, { ...old, freshUntilMs: untilMs, staleUntilMs });
      return hit(old, false, nowMs);
    }
    this.#put(key, entryOf(answer, nowMs));
    return miss(answer);
  }

  #put(key: string, entry: Entry): void {
    this.#remove(key);
    if (entry.staleUntilMs <= entry.storedMs && entry.errorUntilMs <= entry.storedMs) return;
    this.#entries.set(key, entry);
    this.#bytes += sizeOf(key, entry);
    // A Map keeps the order of insertion: the first is the one longest without a refetch.
    for (const oldest of this.#entries.keys()) {
      if (this.#bytes <= this.#bytesMax) break;
      this.#remove(oldest);
    }
  }

  #remove(key: string): void {
    const entry = this.#entries.get(key);
    if (entry === undefined) return;
    this.#bytes -= sizeOf(key, entry);
    this.#entries.delete(key);
  }
}

/** An entry's share of the bound: its body, its key and about 2 kB of headers and bookkeeping. */
function sizeOf(key: string, entry: Entry): number {
  return entry.answer.body.length + 2 * key.length + 2048;
}

function entryOf(answer: WholeAnswer, nowMs: number): Entry {
  const { freshness } = answer;
  if (freshness.kind === 'private') {
    const untilMs = nowMs + SECOND_MS;
    const marker = { ...answer, headers: [], body: Buffer.alloc(0) };
    const times = { freshUntilMs: untilMs, staleUntilMs: untilMs, errorUntilMs: 0 };
    return { answer: marker, storedMs: nowMs, ...times };
  }
  const freshUntilMs = nowMs + freshness.freshS * SECOND_MS;
  return {
    answer,
    storedMs: nowMs,
    freshUntilMs,
    staleUntilMs: freshUntilMs + freshness.staleS * SECOND_MS,
    errorUntilMs: freshUntilMs + freshness.errorS * SECOND_MS,
  };
}

function hit(entry: Entry, isFresh: boolean, nowMs: number): Served {
  const ageS = Math.floor((nowMs - entry.storedMs) / SECOND_MS);
  return { answer: entry.answer, how: isFresh ? 'hit' : 'stale', ageS };
}

function miss(answer: WholeAnswer): Served {
  return { answer, how: 'miss', ageS: 0 };
}
