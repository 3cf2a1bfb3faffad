import {
  type FinalResult,
  isNewerSession,
  type SessionMessage,
} from '#common/contracts/session.ts';
import type { TotalsMessage } from '#common/contracts/vote-aggregated.ts';

/** What is known of one session: the latest message of each topic. */
export interface Known {
  readonly session: SessionMessage;
  /** Absent until the publisher has summed the session once. */
  readonly totals: TotalsMessage | undefined;
  /** Since when totals hold behind the votes, ms; null when they do not. */
  readonly staleSinceMs: number | null;
  /** When this process first heard of the session, ms: the age of totals that are not there yet. */
  readonly heardAtMs: number;
  /** Rises whenever anything of this changes: bytes made from an older one are stale. */
  readonly revision: number;
}

/**
 * The latest totals and sessions, in memory alone: a restart reads both topics again. The two
 * arrive in any order, so totals of a session that is not known yet are held until it is. As large
 * as the compacted topics are.
 */
export class ResultsState {
  readonly #known = new Map<string, Known>();
  readonly #totals = new Map<string, TotalsMessage>();
  #newestTotalsMs = 0;
  #staleSinceMs: number | null = null;

  get(sessionId: string): Known | undefined {
    return this.#known.get(sessionId);
  }

  /** Wall clock at which the newest totals were read from Postgres, ms; 0 while there are none. */
  get newestTotalsMs(): number {
    return this.#newestTotalsMs;
  }

  /**
   * Takes a session with a higher (epoch, version), and counts of a final result that were hidden
   * before. The final result told first stays. True when that changed anything.
   */
  takeSession(session: SessionMessage, nowMs: number): boolean {
    const held = this.#known.get(session.session_id);
    const final = finalToKeep(held?.session.final, session.final);
    const isNewer = isNewerSession(session, held?.session);
    if (!isNewer && final === held?.session.final) return false;
    const next = isNewer || held === undefined ? session : held.session;
    this.#known.set(session.session_id, {
      session: final ? { ...next, final } : next,
      totals: this.#totals.get(session.session_id),
      staleSinceMs: this.#staleSinceMs,
      heardAtMs: held?.heardAtMs ?? nowMs,
      revision: (held?.revision ?? 0) + 1,
    });
    return true;
  }

  /** Takes the word on whether totals hold. Gives the sessions which that changed. */
  takeStale(sinceMs: number | null): string[] {
    if (sinceMs === this.#staleSinceMs) return [];
    this.#staleSinceMs = sinceMs;
    for (const [sessionId, held] of this.#known) {
      const revision = held.revision + 1;
      this.#known.set(sessionId, { ...held, staleSinceMs: sinceMs, revision });
    }
    return [...this.#known.keys()];
  }

  /** Takes totals that are newer than those held. True when that changed anything. */
  takeTotals(totals: TotalsMessage): boolean {
    if (!isNewerTotals(totals, this.#totals.get(totals.session_id))) return false;
    this.#totals.set(totals.session_id, totals);
    this.#newestTotalsMs = Math.max(this.#newestTotalsMs, totals.at_ms);
    const held = this.#known.get(totals.session_id);
    if (held !== undefined) {
      this.#known.set(totals.session_id, { ...held, totals, revision: held.revision + 1 });
    }
    return true;
  }
}

/**
 * True when `next` may replace `held`: a higher (epoch, sequence), or the same state told
 * otherwise, as when counts may be seen from closing on. Of two such tellings the one read later
 * holds.
 */
export function isNewerTotals(next: TotalsMessage, held: TotalsMessage | undefined): boolean {
  if (held === undefined) return true;
  if (next.epoch !== held.epoch) return next.epoch > held.epoch;
  if (next.sequence !== held.sequence) return next.sequence > held.sequence;
  return next.at_ms >= held.at_ms && contentOf(next) !== contentOf(held);
}

function contentOf({ total_votes, counts, covers, corrected }: TotalsMessage): string {
  return JSON.stringify([total_votes, counts, covers, corrected]);
}

/** The one told first, unless its counts were hidden and now are not. */
function finalToKeep(
  held: FinalResult | null | undefined,
  next: FinalResult | null | undefined,
): FinalResult | null | undefined {
  if (!held) return next ?? held;
  const isReleased = held.counts === null && next?.digest === held.digest && next.counts !== null;
  return isReleased ? next : held;
}
