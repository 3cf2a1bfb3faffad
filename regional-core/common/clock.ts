/** Where time comes from. Handed in, so that tests and the simulator own it. */
export interface Clock {
  /** Wall clock, milliseconds since the epoch, UTC. */
  now(): number;
  /** Milliseconds from some fixed point; never goes back. For durations and deadlines. */
  monotonicMs(): number;
}

export const systemClock: Clock = {
  now: () => Date.now(),
  monotonicMs: () => performance.now(),
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
 * aborts.
 */
export function sleep(ms: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (ms <= 0 || signal?.aborted) return resolve();
    const done = (): void => {
      clearTimeout(timer);
      signal?.removeEventListener('abort', done);
      resolve();
    };
    const timer = setTimeout(done, ms);
    signal?.addEventListener('abort', done, { once: true });
  });
}
