/** Where time comes from. Handed in, so that tests and the simulator own it. */
export interface Clock {
  /** Wall clock, milliseconds since the epoch, UTC. */
  now(): number;
  /** Milliseconds from some fixed point; never goes back. For durations and deadlines. */
  monotonicMs(): number;
  /** Calls `act` once, after `ms`. What it gives takes the call back. */
  after(ms: number, act: () => void): () => void;
}

export const systemClock: Clock = {
  now: () => Date.now(),
  monotonicMs: () => performance.now(),
  after: (ms, act) => {
    const timer = setTimeout(act, ms);
    return () => clearTimeout(timer);
  },
};

export const SECOND_MS = 1000;
export const MINUTE_MS = 60 * SECOND_MS;
export const HOUR_MS = 60 * MINUTE_MS;
export const DAY_MS = 24 * HOUR_MS;

/** RFC 3339, UTC, with milliseconds: the one form of a time on the wire. */
export function toTimestamp(ms: number): string {
  return new Date(ms).toISOString();
}

/**
 * Resolves after `ms`, at once when that is not positive or, without an error, when `signal`
 * aborts. What runs in the simulator hands in its clock.
 */
export function sleep(
  ms: number,
  signal?: AbortSignal,
  clock: Pick<Clock, 'after'> = systemClock,
): Promise<void> {
  return new Promise((resolve) => {
    if (ms <= 0 || signal?.aborted) return resolve();
    const done = (): void => {
      cancel();
      signal?.removeEventListener('abort', done);
      resolve();
    };
    const cancel = clock.after(ms, done);
    signal?.addEventListener('abort', done, { once: true });
  });
}
