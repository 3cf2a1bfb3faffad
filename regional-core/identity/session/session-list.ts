import { type Clock, sleep } from '#common/clock.ts';
import type { SessionMessage } from '#common/contracts/session.ts';

/** A voting session as its row says; opening and closing follow the clock. */
export interface ListedSession
  extends Omit<
    SessionMessage,
    'type' | 'v' | 'epoch' | 'released_at_ms' | 'sealed_at_ms' | 'final'
  > {
  /** The result stands: no ballots are made any more. */
  readonly is_final: boolean;
}

export type KnownSession = Pick<ListedSession, 'session_no' | 'version' | 'is_final'>;

/** The sessions that are new, of a higher version, or final since they were read. */
export type LoadSessions = (known: readonly KnownSession[]) => Promise<readonly ListedSession[]>;

/** Between two reads that unknown session ids ask for. */
const askedSpacingMs = 100;

/**
 * Every voting session, in memory. Read anew each second by whoever owns the loop; while Postgres
 * is away the last state goes on serving. A session id that is not there asks for a read at once,
 * so that a session created a moment ago is found, and a flood of wrong ids shares one read per 100
 * ms.
 */
export class SessionList {
  readonly #load: LoadSessions;
  readonly #clock: Clock;
  readonly #byId = new Map<string, ListedSession>();
  #reading: Promise<void> | undefined;
  #asked: Promise<void> | undefined;
  #readAtMs: number | undefined;

  constructor(load: LoadSessions, clock: Clock) {
    this.#load = load;
    this.#clock = clock;
  }

  /** False until the first read has succeeded. */
  get isLoaded(): boolean {
    return this.#readAtMs !== undefined;
  }

  /** Seconds since the list was read; Infinity before the first time. */
  ageS(): number {
    if (this.#readAtMs === undefined) return Number.POSITIVE_INFINITY;
    return (this.#clock.monotonicMs() - this.#readAtMs) / 1000;
  }

  /** Newest first. */
  all(): readonly ListedSession[] {
    return [...this.#byId.values()].toSorted((a, b) => b.session_no - a.session_no);
  }

  get(sessionId: string): ListedSession | undefined {
    return this.#byId.get(sessionId);
  }

  /** As `get`, with a read of Postgres when the id is not known. Throws when that read fails. */
  async find(sessionId: string): Promise<ListedSession | undefined> {
    if (!this.#byId.has(sessionId)) await this.#readAfterNow();
    return this.#byId.get(sessionId);
  }

  /** Throws when Postgres is away; what was known stays known. */
  refresh(): Promise<void> {
    this.#reading ??= this.#read().finally(() => {
      this.#reading = undefined;
    });
    return this.#reading;
  }

  /** A read under way may have begun before the session was there: a further one is asked for. */
  #readAfterNow(): Promise<void> {
    this.#asked ??= (async () => {
      await this.#reading?.catch(() => undefined);
      await sleep(this.ageS() * 1000 < askedSpacingMs ? askedSpacingMs : 0);
      this.#asked = undefined;
      await this.refresh();
    })();
    return this.#asked;
  }

  async #read(): Promise<void> {
    for (const session of await this.#load([...this.#byId.values()])) {
      const held = this.#byId.get(session.session_id);
      if (held === undefined || session.version > held.version || session.is_final) {
        this.#byId.set(session.session_id, session);
      }
    }
    this.#readAtMs = this.#clock.monotonicMs();
  }
}
