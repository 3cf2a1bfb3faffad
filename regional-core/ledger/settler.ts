import { type Clock, SECOND_MS, sleep } from '#common/clock.ts';
import type { Log } from '#common/log.ts';
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
  /** Session → when its settling failed, monotonic ms. */
  readonly #failed = new Map<string, number>();

  constructor(parts: SettlerParts) {
    this.#parts = parts;
  }

  async run(ending: AbortSignal): Promise<void> {
    const { clock, log } = this.#parts;
    while (!ending.aborted) {
      try {
        await this.settleDue();
      } catch (error) {
        log.warn({ err: error }, 'sessions to settle could not be listed; trying again');
      }
      await sleep(everyMs, ending, clock);
    }
  }

  /** One round. Rejects only when the sessions cannot be listed. */
  async settleDue(): Promise<void> {
    const { store, clock, log, metrics } = this.#parts;
    for (const sessionId of await store.readThrough()) {
      const failedAtMs = this.#failed.get(sessionId) ?? Number.NEGATIVE_INFINITY;
      if (clock.monotonicMs() - failedAtMs < againMs) continue;
      try {
        if (!(await store.settle(sessionId))) continue;
        metrics.settled(1);
        log.info({ session_id: sessionId }, 'settled');
      } catch (error) {
        log.error({ err: error, session_id: sessionId }, 'a session could not be settled');
        this.#remember(sessionId);
      }
    }
  }

  #remember(sessionId: string): void {
    this.#failed.delete(sessionId);
    this.#failed.set(sessionId, this.#parts.clock.monotonicMs());
    if (this.#failed.size > remembered) this.#failed.delete(this.#failed.keys().next().value!);
  }
}
