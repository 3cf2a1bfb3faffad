import type { Clock } from '#common/clock.ts';

/** A clock that stands still until it is moved. */
export class ManualClock implements Clock {
  #nowMs: number;
  #waiting: { readonly atMs: number; readonly act: () => void }[] = [];

  constructor(nowMs: number) {
    this.#nowMs = nowMs;
  }

  now(): number {
    return this.#nowMs;
  }

  monotonicMs(): number {
    return this.#nowMs;
  }

  after(ms: number, act: () => void): () => void {
    const entry = { atMs: this.#nowMs + ms, act };
    this.#waiting.push(entry);
    return () => {
      this.#waiting = this.#waiting.filter((other) => other !== entry);
    };
  }

  /** Moves on; what is due by then happens, and what follows from it in the same turn. */
  async move(ms: number): Promise<void> {
    this.#nowMs += ms;
    const due = this.#waiting.filter(({ atMs }) => atMs <= this.#nowMs);
    this.#waiting = this.#waiting.filter((entry) => !due.includes(entry));
    for (const { act } of due) act();
    await new Promise((resolve) => {
      setImmediate(resolve);
    });
  }
}
