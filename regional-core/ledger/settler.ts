import { type Clock, SECOND_MS } from '#common/clock.ts';
import type { Log } from '#common/log.ts';
import { repeat } from '#common/repeat.ts';
import { Lately } from './lately.ts';
import type { LedgerStore } from './ledger-store.ts';
import type { LedgerMetrics } from './metrics.ts';

interface SettlerParts {
  readonly store: Pick<LedgerStore, 'readThrough' | 'settle'>;
  readonly clock: Clock;
  readonly log: Log;
  readonly metrics: Pick<LedgerMetrics, 'settled'>;
}

const everyMs = SECOND_MS;
/** A session whose settling failed is left alone this long, so that the others have their turns. */
const againMs = 30 * SECOND_MS;
const remembered = 1000;

/**
 * Settles sessions that were read through their seals, each by itself: one with millions of
 * conflicts takes minutes and one may fail, and neither holds up seals or another session.
 */
export class Settler {
  readonly #parts: SettlerParts;
  /** Sessions whose settling failed. */
  readonly #failed: Lately;

  constructor(parts: SettlerParts) {
    this.#parts = parts;
    this.#failed = new Lately(parts.clock, remembered);
  }

  run(ending: AbortSignal): Promise<void> {
    const act = (): Promise<void> => this.settleDue(ending);
    return repeat({ name: 'listing sessions to settle', everyMs, act }, this.#parts, ending);
  }

  /** One round, cut short by `ending`. Rejects only when the sessions cannot be listed. */
  async settleDue(ending: AbortSignal): Promise<void> {
    const { store, log, metrics } = this.#parts;
    for (const sessionId of await store.readThrough()) {
      if (ending.aborted) return;
      if (this.#failed.ageMs(sessionId) < againMs) continue;
      try {
        if (!(await store.settle(sessionId, ending))) continue;
        metrics.settled(1);
        log.info({ session_id: sessionId }, 'settled');
      } catch (error) {
        // Cancelled, and left to another worker.
        if (ending.aborted) return;
        log.error({ err: error, session_id: sessionId }, 'a session could not be settled');
        this.#failed.add(sessionId);
      }
    }
  }
}
