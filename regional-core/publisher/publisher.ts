import { type Clock, DAY_MS, sleep } from '#common/clock.ts';
import { isNewerSession, resultsAudience, type SessionMessage } from '#common/contracts/session.ts';
import type { Covers, TotalsMessage } from '#common/contracts/vote-aggregated.ts';
import type { Log } from '#common/log.ts';
import type { PublisherMetrics } from './metrics.ts';
import { keyedSessions, keyedTotals, type Send } from './publish.ts';
import type { PublisherStore } from './publisher-store.ts';
import { totalsToPublish } from './totals.ts';

const tickMs = 200;
const sessionsMs = 500;
const sessionsAgainMs = 30_000;
const retryMs = 500;

export interface PublisherParts {
  readonly store: PublisherStore;
  readonly clock: Clock;
  readonly log: Log;
  readonly metrics: PublisherMetrics;
  readonly sendTotals: Send;
  readonly sendSessions: Send;
  /** What this region's topic holds already: totals never go back behind it. */
  readonly published: Covers;
}

/**
 * The only process that takes things from Postgres to Kafka. Two publishers of a region do no harm:
 * what they send is a function of the state, and readers ignore what is older than what they have.
 */
export class Publisher {
  readonly #parts: PublisherParts;
  /** By session number; what was last sent, or is to be sent. */
  readonly #sessions = new Map<number, SessionMessage>();
  readonly #audiences = new Map<number, string>();
  /**
   * Sessions whose totals are due although no vote came: new ones, and those a failed send held.
   */
  readonly #due = new Set<number>();
  #published: Covers;
  /** Where the last read ended; empty makes the first read sum every session. */
  #readUpTo: Covers = {};
  #ballotKids = '';
  #allAgainAtMs = Number.NEGATIVE_INFINITY;
  #trouble: string | undefined = 'nothing was published yet';

  constructor(parts: PublisherParts) {
    this.#parts = parts;
    this.#published = parts.published;
  }

  /** Why totals do not go out now; undefined when they do. */
  get trouble(): string | undefined {
    return this.#trouble;
  }

  async run(ending: AbortSignal): Promise<void> {
    await Promise.all([
      this.#every(sessionsMs, ending, () => this.#publishSessions()),
      this.#every(tickMs, ending, () => this.#publishTotals()),
    ]);
  }

  /** Starts `act` every `periodMs`, never twice at once; after a failure it waits a moment. */
  async #every(periodMs: number, ending: AbortSignal, act: () => Promise<void>): Promise<void> {
    const { clock, log } = this.#parts;
    while (!ending.aborted) {
      const startedMs = clock.monotonicMs();
      try {
        await act();
      } catch (error) {
        if (this.#trouble === undefined) log.warn({ err: error }, 'publishing failed; retrying');
        this.#trouble = 'postgres or kafka does not answer';
        await sleep(retryMs, ending, clock);
      }
      await sleep(startedMs + periodMs - clock.monotonicMs(), ending, clock);
    }
  }

  async #publishSessions(): Promise<void> {
    const { store, clock, sendSessions } = this.#parts;
    const first = this.#sessions.size === 0;
    const read = await store.readSessions(first ? Number.POSITIVE_INFINITY : DAY_MS);
    const again = clock.monotonicMs() - this.#allAgainAtMs >= sessionsAgainMs;
    const isNew = (session: SessionMessage): boolean =>
      isNewerSession(session, this.#sessions.get(session.session_no));
    const changed = again ? read : read.filter(isNew);
    await sendSessions(changed.map(keyedSessions));
    for (const session of changed) {
      // Zeros from the first moment, and what a change of times or policy shows or hides.
      if (isNew(session)) this.#due.add(session.session_no);
      this.#sessions.set(session.session_no, session);
    }
    await this.#publishBallotKeys(again);
    if (again) this.#allAgainAtMs = clock.monotonicMs();
  }

  async #publishBallotKeys(again: boolean): Promise<void> {
    const keys = await this.#parts.store.readBallotKeys();
    const kids = keys.map(({ kid }) => kid).join();
    if (keys.length === 0 || (kids === this.#ballotKids && !again)) return;
    await this.#parts.sendSessions([keyedSessions({ type: 'ballot_keys', v: 1, keys })]);
    this.#ballotKids = kids;
  }

  async #publishTotals(): Promise<void> {
    const { store, clock, metrics, sendTotals } = this.#parts;
    this.#markChangedAudiences(clock.now());
    const due = [...this.#due];
    const startedMs = clock.monotonicMs();
    const read = await store.readTotals(this.#readUpTo, due);
    const messages = totalsToPublish(read, this.#published, this.#sessions, clock.now());
    if (messages === 'behind') {
      this.#hold();
      return;
    }
    // Until they are acknowledged, the sessions of this read stay due.
    for (const { sessionNo } of read.sessions) this.#due.add(sessionNo);
    this.#readUpTo = read.covers;
    await sendTotals(messages.map(keyedTotals));
    this.#settle(read.sessions, messages);
    metrics.published(messages.length, (clock.monotonicMs() - startedMs) / 1000);
    if (messages.length > 0) this.#published = read.covers;
    this.#trouble = undefined;
  }

  #settle(
    read: readonly { sessionNo: number }[],
    messages: readonly Pick<TotalsMessage, 'session_id'>[],
  ): void {
    const sent = new Set(messages.map(({ session_id }) => session_id));
    for (const { sessionNo } of read) {
      const session = this.#sessions.get(sessionNo);
      if (session !== undefined && sent.has(session.session_id)) this.#due.delete(sessionNo);
    }
  }

  /** Closing shows what was hidden; no vote has to come for that. */
  #markChangedAudiences(nowMs: number): void {
    for (const [sessionNo, session] of this.#sessions) {
      const audience = resultsAudience(session, nowMs);
      if (this.#audiences.get(sessionNo) !== audience) this.#due.add(sessionNo);
      this.#audiences.set(sessionNo, audience);
    }
  }

  #hold(): void {
    const { log, metrics } = this.#parts;
    if (this.#trouble !== 'behind') {
      log.error('the database is behind what was published; totals hold until it has caught up');
    }
    this.#trouble = 'behind';
    // What is counted again may come out otherwise at the same offsets: all is summed anew.
    this.#readUpTo = {};
    metrics.held();
  }
}
