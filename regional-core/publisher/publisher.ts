import { type Clock, sleep } from '#common/clock.ts';
import type { Covers, TotalsMessage } from '#common/contracts/vote-aggregated.ts';
import type { Log } from '#common/log.ts';
import type { PublisherMetrics } from './metrics.ts';
import { keyedSessions, keyedTotals, type Send } from './publish.ts';
import type { PublisherStore } from './publisher-store.ts';
import type { ToldCounts } from './replays.ts';
import { Sessions } from './sessions.ts';
import { Staleness } from './staleness.ts';
import type { Told, ToldTotals } from './told.ts';
import { totalsToPublish } from './totals.ts';

const tickMs = 200;
const sessionsMs = 500;
const everythingMs = 30_000;
const retryMs = 500;

export interface PublisherParts {
  readonly store: PublisherStore;
  readonly clock: Clock;
  readonly log: Log;
  readonly metrics: PublisherMetrics;
  readonly sendTotals: Send;
  readonly sendSessions: Send;
  /** What this region's topics hold already: nobody is told less after it. */
  readonly told: Told;
}

/**
 * The only process that takes things from Postgres to Kafka. Two publishers of a region do no harm:
 * what they send is a function of the state, and readers ignore what is older than what they have.
 */
export class Publisher {
  readonly #parts: PublisherParts;
  readonly #sessions: Sessions;
  readonly #staleness: Staleness;
  /**
   * Sessions whose totals are due although no vote came: new ones, and those a failed send held.
   */
  readonly #due = new Set<number>();
  #told: ToldTotals;
  /** By session id; of a send that failed, what may have been told. */
  readonly #toldCounts: Map<string, ToldCounts>;
  /** Where the last read ended; empty makes the next read sum every session. */
  #readUpTo: Covers = {};
  /** Of the last read: another number means that counts moved where no record was read. */
  #corrections: number | undefined;
  #everythingAtMs = Number.NEGATIVE_INFINITY;
  #staleTold: number | null | undefined;
  #trouble: string | undefined = 'nothing was published yet';

  constructor(parts: PublisherParts) {
    const { store, clock, log, sendSessions: send, told } = parts;
    this.#parts = parts;
    this.#told = told.totals;
    this.#toldCounts = new Map(told.counts);
    this.#sessions = new Sessions({ store, clock, log, send, told });
    this.#staleness = new Staleness(clock, told.staleSinceMs);
  }

  /** Why totals do not go out now, or must not be believed; undefined when all is well. */
  get trouble(): string | undefined {
    if (this.#trouble !== undefined) return this.#trouble;
    const [contradiction] = this.#sessions.contradictions;
    return contradiction && `the database holds another final result of ${contradiction}`;
  }

  async run(ending: AbortSignal): Promise<void> {
    await Promise.all([
      this.#every(sessionsMs, ending, () => this.#publishSessions()),
      this.#every(tickMs, ending, () => this.#publishTotals()),
      this.#every(tickMs, ending, () => this.#publishStaleness()),
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
    const changed = await this.#sessions.publish();
    // Zeros from the first moment, and what a change of times or policy shows or hides.
    for (const sessionNo of changed) this.#due.add(sessionNo);
    this.#parts.metrics.contradictions(this.#sessions.contradictions.length);
  }

  async #publishTotals(): Promise<void> {
    const { clock, metrics, sendTotals } = this.#parts;
    for (const sessionNo of this.#sessions.changedAudiences()) this.#due.add(sessionNo);
    const startedMs = clock.monotonicMs();
    const read = await this.#readTotals();
    const told = { totals: this.#told, counts: this.#toldCounts };
    const messages = totalsToPublish(read, told, this.#sessions.told, clock.now());
    if (messages === 'behind') {
      this.#hold();
      return;
    }
    // Until they are acknowledged, the sessions of this read stay due.
    for (const { sessionNo } of read.sessions) this.#due.add(sessionNo);
    const isCorrected = read.corrections !== (this.#corrections ?? read.corrections);
    this.#readUpTo = isCorrected ? {} : read.covers;
    this.#corrections = read.corrections;
    for (const message of messages) this.#toldCounts.set(message.session_id, message);
    await sendTotals(messages.map(keyedTotals));
    this.#settle(read.sessions, messages);
    metrics.published(messages.length, (clock.monotonicMs() - startedMs) / 1000);
    if (messages.length > 0) this.#told = read;
    this.#staleness.told();
    this.#trouble = undefined;
  }

  /**
   * Sums what changed; everything after a failure and now and then: a database that failed over may
   * have counted the same records again with other winners, and says so by no offset.
   */
  async #readTotals() {
    const { store, clock } = this.#parts;
    const nowMs = clock.monotonicMs();
    const everything = nowMs - this.#everythingAtMs >= everythingMs;
    const since = everything ? {} : this.#readUpTo;
    this.#readUpTo = {};
    const read = await store.readTotals(since, [...this.#due]);
    if (everything) this.#everythingAtMs = nowMs;
    return read;
  }

  #settle(
    read: readonly { sessionNo: number }[],
    messages: readonly Pick<TotalsMessage, 'session_id'>[],
  ): void {
    const sent = new Set(messages.map(({ session_id }) => session_id));
    for (const { sessionNo } of read) {
      const session = this.#sessions.told.get(sessionNo);
      if (session !== undefined && sent.has(session.session_id)) this.#due.delete(sessionNo);
    }
  }

  #hold(): void {
    const { log, metrics } = this.#parts;
    if (this.#trouble !== 'behind') {
      log.error('the database is behind what was published; totals hold until it has caught up');
    }
    this.#trouble = 'behind';
    this.#staleness.behind();
    metrics.held();
  }

  async #publishStaleness(): Promise<void> {
    const { sinceMs } = this.#staleness;
    if (sinceMs === this.#staleTold) return;
    const message = { type: 'totals_stale', v: 1, since_ms: sinceMs } as const;
    await this.#parts.sendSessions([keyedSessions(message)]);
    this.#staleTold = sinceMs;
  }
}
