import type { Clock } from '#common/clock.ts';

interface Event {
  readonly atMs: number;
  readonly order: number;
  readonly owner: Process | undefined;
  act: (() => void) | undefined;
}

/**
 * Virtual time. Events run in the order of their time, equal ones in the order they were made; time
 * moves only when every promise that can settle has settled. Nothing here waits for the machine's
 * own clock, so a minute of voting takes milliseconds.
 */
export class Timeline {
  #nowMs = 0;
  #order = 0;
  #steps = 0;
  readonly #heap: Event[] = [];

  /** Milliseconds since the run began: the true time, which no process sees. */
  get nowMs(): number {
    return this.#nowMs;
  }

  /** Events that have run. */
  get steps(): number {
    return this.#steps;
  }

  /** Runs `act` after `ms`; an owner that has died by then runs nothing, a stopped one later. */
  after(ms: number, act: () => void, owner?: Process): () => void {
    const event: Event = { atMs: this.#nowMs + Math.max(0, ms), order: this.#order++, owner, act };
    this.#push(event);
    return () => {
      event.act = undefined;
    };
  }

  /**
   * Runs until `done` says so or nothing is left to do. Rejects with what an event threw, and when
   * `stepsMax` events were not enough.
   */
  run(done: () => boolean, stepsMax: number): Promise<void> {
    return new Promise((resolve, reject) => {
      const step = (): void => {
        try {
          if (done() || this.#heap.length === 0) return resolve();
          if (this.#steps >= stepsMax) throw new Error(`no end after ${stepsMax} steps`);
          this.#runNext();
          // Node takes a tick only when no microtask is left: the promises settle first.
          queueMicrotask(() => process.nextTick(step));
        } catch (error) {
          reject(error);
        }
      };
      process.nextTick(step);
    });
  }

  #runNext(): void {
    const event = this.#pop();
    const { owner, act } = event;
    if (act === undefined || owner?.isDead) return;
    this.#nowMs = Math.max(this.#nowMs, event.atMs);
    if (owner !== undefined && owner.stoppedUntilMs > this.#nowMs) {
      this.#push({ atMs: owner.stoppedUntilMs, order: this.#order++, owner, act });
      return;
    }
    this.#steps++;
    act();
  }

  #push(event: Event): void {
    const heap = this.#heap;
    let at = heap.push(event) - 1;
    while (at > 0) {
      const parent = (at - 1) >> 1;
      if (isBefore(heap[parent]!, event)) break;
      heap[at] = heap[parent]!;
      at = parent;
    }
    heap[at] = event;
  }

  #pop(): Event {
    const heap = this.#heap;
    const first = heap[0]!;
    const last = heap.pop()!;
    if (heap.length === 0) return first;
    let at = 0;
    for (;;) {
      let child = 2 * at + 1;
      if (child >= heap.length) break;
      if (child + 1 < heap.length && isBefore(heap[child + 1]!, heap[child]!)) child++;
      if (isBefore(last, heap[child]!)) break;
      heap[at] = heap[child]!;
      at = child;
    }
    heap[at] = last;
    return first;
  }
}

function isBefore(one: Event, other: Event): boolean {
  return one.atMs < other.atMs || (one.atMs === other.atMs && one.order < other.order);
}

/** 2026-06-01T00:00:00Z: where the true wall clock stands when a run begins. */
export const epochMs = 1_780_272_000_000;

/**
 * A process: a clock of its own that may be wrong, and a life that may end. One that has died runs
 * nothing more: what it awaited never comes. One that is stopped (SIGSTOP) runs it all later.
 */
export class Process implements Clock {
  readonly name: string;
  readonly timeline: Timeline;
  /** How far its wall clock is ahead of the true one, ms. */
  offsetMs = 0;
  /** Parts per million that both its clocks run fast. */
  driftPpm = 0;
  isDead = false;
  stoppedUntilMs = 0;

  constructor(timeline: Timeline, name: string) {
    this.timeline = timeline;
    this.name = name;
  }

  now(): number {
    return Math.floor(epochMs + this.monotonicMs() + this.offsetMs);
  }

  monotonicMs(): number {
    return this.timeline.nowMs * (1 + this.driftPpm / 1e6);
  }

  after(ms: number, act: () => void): () => void {
    return this.timeline.after(ms / (1 + this.driftPpm / 1e6), act, this);
  }

  die(): void {
    this.isDead = true;
  }
}
