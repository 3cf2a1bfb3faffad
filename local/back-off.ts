const FIRST_MS = 200;
const LAST_MS = 5_000;
/** A process that lived this long has earned a quick restart again. */
const STEADY_MS = 30_000;

/** Waits between restarts of one process: 200 ms, doubling to 5 s, reset after 30 s up. */
export class BackOff {
  #nextMs = FIRST_MS;

  /** The wait before the next start of a process that was up for so long. */
  next(upMs: number): number {
    if (upMs >= STEADY_MS) this.#nextMs = FIRST_MS;
    const waitMs = this.#nextMs;
    this.#nextMs = Math.min(LAST_MS, waitMs * 2);
    return waitMs;
  }
}
