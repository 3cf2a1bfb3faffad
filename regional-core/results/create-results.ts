import type { Clock } from '#common/clock.ts';
import type { PublicKeys } from '#common/keys.ts';
import type { ResultsMetrics } from './metrics.ts';
import type { Results } from './results.ts';
import { Snapshots } from './snapshot/snapshots.ts';
import { ResultsState } from './state.ts';
import { Broadcaster } from './stream/broadcaster.ts';
import { type PlaceLimits, StreamPlaces } from './stream/places.ts';

export interface ResultsSetup extends PlaceLimits {
  readonly receiptKeys: PublicKeys;
  readonly clock: Clock;
  readonly random: () => number;
  readonly metrics: ResultsMetrics;
  readonly caughtUp: () => boolean;
  readonly draining: () => boolean;
}

/** State, encodings and streams, put together; what fills the state is the caller's business. */
export function createResults(setup: ResultsSetup): Results {
  const { clock, random, metrics } = setup;
  const state = new ResultsState();
  const snapshots = new Snapshots(metrics.encodedSnapshot);
  const broadcaster = new Broadcaster({
    state,
    snapshots,
    clock,
    random,
    metrics: {
      ...metrics.stream,
      roundDone: (totalsAtMs) => metrics.stream.roundDone(clock.now() - totalsAtMs),
    },
  });
  return { ...setup, state, snapshots, broadcaster, places: new StreamPlaces(setup) };
}
