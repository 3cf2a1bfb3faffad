import { type Clock, DAY_MS } from '#common/clock.ts';
import {
  type RegionsMessage,
  resultsAudience,
  type SessionMessage,
  type SessionsMessage,
} from '#common/contracts/session.ts';
import type { Log } from '#common/log.ts';
import { keyedSessions, type Send } from './publish.ts';
import type { PublisherStore } from './publisher-store.ts';
import { contradictsFinal, sessionToTell } from './session-to-tell.ts';
import type { Told } from './told.ts';

const againMs = 30_000;

export interface SessionsParts {
  readonly store: PublisherStore;
  readonly clock: Clock;
  readonly log: Log;
  readonly send: Send;
  readonly told: Told;
}

/** Sessions, keys and lost regions, from Postgres into the topic `sessions`. */
export class Sessions {
  readonly #parts: SessionsParts;
  /** By session number: what was told last. */
  readonly #told = new Map<number, SessionMessage>();
  readonly #audiences = new Map<number, string>();
  /** What was told last of everything else, by kind. */
  readonly #others = new Map<SessionsMessage['type'], string>();
  #regions: RegionsMessage | undefined;
  #wasRead = false;
  #againAtMs = Number.NEGATIVE_INFINITY;
  #contradictions: readonly string[] = [];

  constructor(parts: SessionsParts) {
    this.#parts = parts;
    for (const session of parts.told.sessions) this.#told.set(session.session_no, session);
    this.#regions = parts.told.regions;
  }

  /** Sessions by their number, as they were told. */
  get told(): ReadonlyMap<number, SessionMessage> {
    return this.#told;
  }

  /** Sessions of which the database holds another final result than the one that was told. */
  get contradictions(): readonly string[] {
    return this.#contradictions;
  }

  /** Tells what is new, everything now and then; gives the numbers of sessions that changed. */
  async publish(): Promise<number[]> {
    const { store, clock, send } = this.#parts;
    const closedSinceMs = this.#wasRead ? DAY_MS : Number.POSITIVE_INFINITY;
    const earlier = await this.#tellEarlierClosings(closedSinceMs);
    const read = await store.readSessions(closedSinceMs, 'copied');
    const again = clock.monotonicMs() - this.#againAtMs >= againMs;
    const nowMs = clock.now();
    const next = read.map((session) =>
      sessionToTell(session, this.#told.get(session.session_no), nowMs),
    );
    this.#watchFinals(read);
    const changed = next.filter((session) => !this.#wasTold(session));
    await send((again ? next : changed).map(keyedSessions));
    const isFirst = !this.#wasRead;
    for (const session of next) this.#told.set(session.session_no, session);
    this.#wasRead = true;
    await this.#publishOthers(again);
    if (again) this.#againAtMs = clock.monotonicMs();
    return [...earlier, ...(isFirst ? next : changed)].map(({ session_no }) => session_no);
  }

  /**
   * Everything is told when the copies have it: after a fail-over that lost what was told, the same
   * version could be given to another closing time, and votes be accepted until the wrong one. A
   * closing that was brought forward is told at once: votes accepted after it would be late, and if
   * it is lost, voters were refused for a while, and nothing that was accepted is.
   */
  async #tellEarlierClosings(closedSinceMs: number): Promise<SessionMessage[]> {
    const { store, clock, send } = this.#parts;
    const earlier: SessionMessage[] = [];
    for (const read of await store.readSessions(closedSinceMs, 'written')) {
      const told = this.#told.get(read.session_no);
      const next = sessionToTell(read, told, clock.now());
      if (told !== undefined && next.closes_at_ms < told.closes_at_ms) earlier.push(next);
    }
    await send(earlier.map(keyedSessions));
    for (const session of earlier) this.#told.set(session.session_no, session);
    return earlier;
  }

  /** Sessions whose counts came into sight, or out of it, since the last call. */
  changedAudiences(): number[] {
    const nowMs = this.#parts.clock.now();
    const changed: number[] = [];
    for (const [sessionNo, session] of this.#told) {
      const audience = resultsAudience(session, nowMs);
      if (this.#audiences.get(sessionNo) !== audience) changed.push(sessionNo);
      this.#audiences.set(sessionNo, audience);
    }
    return changed;
  }

  async #publishOthers(again: boolean): Promise<void> {
    const { store } = this.#parts;
    const [ballotKeys, sealKeys, regions] = await Promise.all([
      store.readBallotKeys(),
      store.readSealKeys(),
      store.readRegions(),
    ]);
    // A database of a lower epoch has forgotten who was declared lost.
    if (regions.epoch > (this.#regions?.epoch ?? 0)) {
      this.#regions = { type: 'regions', v: 1, ...regions };
    }
    const messages: SessionsMessage[] = [];
    if (ballotKeys.length > 0) messages.push({ type: 'ballot_keys', v: 1, keys: ballotKeys });
    if (sealKeys.length > 0) messages.push({ type: 'seal_keys', v: 1, keys: sealKeys });
    if (this.#regions !== undefined) messages.push(this.#regions);
    const due = messages.filter(
      (message) => again || this.#others.get(message.type) !== JSON.stringify(message),
    );
    await this.#parts.send(due.map(keyedSessions));
    for (const message of due) this.#others.set(message.type, JSON.stringify(message));
  }

  #wasTold(session: SessionMessage): boolean {
    const told = this.#told.get(session.session_no);
    return told === session || JSON.stringify(told) === JSON.stringify(session);
  }

  #watchFinals(read: readonly SessionMessage[]): void {
    const contradictions = read
      .filter((session) => contradictsFinal(session, this.#told.get(session.session_no)))
      .map(({ session_id }) => session_id);
    if (contradictions.join() !== this.#contradictions.join() && contradictions.length > 0) {
      const context = { session_ids: contradictions };
      this.#parts.log.error(context, 'the database holds another final result than was told');
    }
    this.#contradictions = contradictions;
  }
}
