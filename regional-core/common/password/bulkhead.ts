import { jitteredRetryS, ServiceError } from '#common/errors.ts';

export interface Bulkhead {
  /**
   * Runs the work when there is room. Throws `overloaded`, without having begun, when as many wait
   * already as may.
   */
  run<T>(work: () => Promise<T>): Promise<T>;
  readonly waiting: number;
}

/**
 * Keeps expensive work from taking the whole process: `parallelMax` at once, `waitingMax` in line,
 * first come first served.
 */
export function createBulkhead(
  parallelMax: number,
  waitingMax: number,
  random: () => number,
): Bulkhead {
  const line: (() => void)[] = [];
  let running = 0;
  const enter = async (): Promise<void> => {
    if (running < parallelMax) {
      running++;
      return;
    }
    if (line.length >= waitingMax) {
      throw new ServiceError('overloaded', { retryAfterS: jitteredRetryS(2, random) });
    }
    // Whoever leaves hands its place over, so `running` does not change.
    await new Promise<void>((resolve) => line.push(resolve));
  };
  const leave = (): void => {
    const next = line.shift();
    if (next === undefined) running--;
    else next();
  };
  return {
    get waiting() {
      return line.length;
    },
    run: async (work) => {
      await enter();
      try {
        return await work();
      } finally {
        leave();
      }
    },
  };
}
