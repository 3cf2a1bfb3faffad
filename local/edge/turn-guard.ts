import type { Clock } from '#common/clock.ts';

/** Requests that waited longer than this behind others of the same turn are turned away. */
const turnMsMax = 60;
/** A turn with fewer requests is long for another reason, such as code that runs the first time. */
const turnRequestsMin = 32;

/**
 * Tells how long requests have waited in this process: all that arrived while it was busy are read
 * in one turn of the event loop, so the time since the turn began is a lower bound of the wait of
 * the request at hand. Past the bound the rest of the turn is turned away cheaply, the next turn
 * begins soon, and what is served is served in time: without it the queue grows until every answer
 * comes after its asker has given up.
 */
export class TurnGuard {
  readonly #clock: Pick<Clock, 'monotonicMs'>;
  readonly #onTurnEnd: (act: () => void) => void;
  #begunMs: number | undefined;
  #requests = 0;

  /** @param onTurnEnd calls back when the turn of the event loop is over */
  constructor(
    clock: Pick<Clock, 'monotonicMs'>,
    onTurnEnd: (act: () => void) => void = setImmediate,
  ) {
    this.#clock = clock;
    this.#onTurnEnd = onTurnEnd;
  }

  /** True when the request at hand has waited too long to be served. */
  isLate(): boolean {
    const nowMs = this.#clock.monotonicMs();
    if (this.#begunMs === undefined) {
      this.#begunMs = nowMs;
      this.#requests = 0;
      this.#onTurnEnd(() => {
        this.#begunMs = undefined;
      });
    }
    this.#requests++;
    return this.#requests > turnRequestsMin && nowMs - this.#begunMs > turnMsMax;
  }
}
