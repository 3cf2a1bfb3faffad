import type { Clock } from './clock.ts';

/** The loop is asked this often whether it turns. */
const beatMs = 100;
/** A process whose loop stood still for this long answered nobody meanwhile. */
const blockedMsMin = 1500;
/**
 * A load balancer's interval between two probes. Not longer: what was overloaded for a moment would
 * leave its load to the others, and they would follow.
 */
const tellMs = 5000;

/**
 * Notices that the event loop stood still: a busy loop, a stopped process, a machine out of memory.
 * What waited meanwhile is late in every respect, so the process gets no new work for 5 s.
 */
export class LoopWatch {
  readonly #clock: Pick<Clock, 'monotonicMs' | 'after'>;
  #beatAtMs: number;
  #blocked: { readonly forMs: number; readonly untilMs: number } | undefined;

  constructor(clock: Pick<Clock, 'monotonicMs' | 'after'>) {
    this.#clock = clock;
    this.#beatAtMs = clock.monotonicMs();
    this.#schedule();
  }

  /** Why the process should get no work; undefined when its loop turns. */
  trouble(): string | undefined {
    // A request that waited is answered before the timer that waited beside it.
    this.#look();
    const { forMs, untilMs } = this.#blocked ?? { forMs: 0, untilMs: 0 };
    if (this.#clock.monotonicMs() >= untilMs) return undefined;
    return `the event loop stood still for ${(forMs / 1000).toFixed(1)} s just now`;
  }

  #schedule(): void {
    this.#clock.after(beatMs, () => {
      this.#look();
      this.#schedule();
    });
  }

  #look(): void {
    const nowMs = this.#clock.monotonicMs();
    const forMs = nowMs - this.#beatAtMs - beatMs;
    this.#beatAtMs = nowMs;
    if (forMs > blockedMsMin) this.#blocked = { forMs, untilMs: nowMs + tellMs };
  }
}
