import type { Clock } from '#common/clock.ts';
import type { Log } from '#common/log.ts';
import type { EdgeMetrics } from './metrics.ts';
import type { OriginError, OriginPool } from './origin-pool.ts';

/** An origin that fails is one line each so long, not one a request: it may be 500 a second. */
const lineMs = 5000;

/** Logs when an origin stops answering and when it answers again; counts every fault. */
export function watchOrigins(
  pools: readonly OriginPool[],
  metrics: EdgeMetrics,
  log: Log,
  clock: Clock,
): void {
  for (const pool of pools) {
    let faults = 0;
    let lineAtMs = Number.NEGATIVE_INFINITY;
    pool.onOutcome = (_pool, error: OriginError | undefined) => {
      if (error === undefined) {
        if (faults > 0) log.info({ origin: pool.name, faults }, 'the origin answers again');
        faults = 0;
        return;
      }
      faults++;
      metrics.originFault(pool.name, error.fault);
      const nowMs = clock.monotonicMs();
      if (nowMs - lineAtMs < lineMs) return;
      lineAtMs = nowMs;
      const line = { origin: pool.name, fault: error.fault, faults, err: error.cause };
      log.warn(line, 'the origin does not answer');
    };
  }
}
