import { type Clock, SECOND_MS, sleep } from './clock.ts';
import { type ClockError, clockBoundFile, clockErrorMsMax } from './clock-bound.ts';
import { ClockJudge } from './clock-judge.ts';
import type { ClockPeer } from './clock-peer.ts';
import type { Log } from './log.ts';
import type { Registry } from './metrics.ts';
import { registerClockGauges } from './safeguard-metrics.ts';

/** Watches the clock by which this process decides who votes in time. */
export interface ClockCheck {
  /** How far the wall clock may be off now, ms; the most allowed while nobody can say. */
  readonly errorMs: () => number;
  /** Why the clock must not decide now, a sentence each; none when it may. Cheap: ask each time. */
  readonly notReady: () => readonly string[];
  readonly close: () => Promise<void>;
}

const reviewMs = SECOND_MS;
const askMs = 5 * SECOND_MS;
/** The file is not read for every vote: what it said is used for this long. */
const heldMsMax = 100;

/**
 * @param options.clockErrorMs the declared bound, used where no file of ClockBound is named
 */
export function watchClock(options: {
  readonly clock: Clock;
  readonly clockErrorMs: number;
  readonly clockBoundFile: string | undefined;
  readonly peers: readonly ClockPeer[];
  readonly log: Log;
  readonly metrics: Registry;
}): ClockCheck {
  const { clock, log, peers } = options;
  const error = errorSource(options);
  const judge = new ClockJudge(clock, error, options.clockBoundFile !== undefined);
  const closing = new AbortController();
  const source = options.clockBoundFile === undefined ? 'declared' : 'clockbound';
  registerClockGauges(options.metrics, source, error, () => judge.doubts());

  const ask = async ({ name, ask: askPeer }: ClockPeer): Promise<void> => {
    while (!closing.signal.aborted) {
      const askedMs = clock.monotonicMs();
      try {
        const told = await askPeer();
        judge.hear(name, { ...told, askedMs, heardMs: clock.monotonicMs() });
      } catch (trouble) {
        log.debug({ err: trouble, peer: name }, 'a peer did not tell its time');
      }
      await sleep(askMs, closing.signal, clock);
    }
  };
  const review = async (): Promise<void> => {
    let told = '';
    while (!closing.signal.aborted) {
      judge.review();
      const doubts = judge.doubts();
      if (doubts.join() !== told) {
        if (doubts.length > 0) log.error({ doubts }, 'the clock is not to be trusted');
        else log.info('the clock is trusted again');
      }
      told = doubts.join();
      await sleep(reviewMs, closing.signal, clock);
    }
  };
  const watching = Promise.all([review(), ...peers.map(ask)]);
  return {
    errorMs: () => {
      const now = error();
      return 'ms' in now ? Math.min(now.ms, clockErrorMsMax) : clockErrorMsMax;
    },
    notReady: () => judge.doubts(),
    close: async () => {
      closing.abort();
      await watching;
    },
  };
}

function errorSource(options: {
  readonly clock: Clock;
  readonly clockErrorMs: number;
  readonly clockBoundFile: string | undefined;
}): () => ClockError {
  const { clock } = options;
  if (options.clockBoundFile === undefined) return () => ({ ms: options.clockErrorMs });
  const read = clockBoundFile(options.clockBoundFile);
  let held = read();
  let readAtMs = clock.monotonicMs();
  return () => {
    if (clock.monotonicMs() - readAtMs > heldMsMax) {
      held = read();
      readAtMs = clock.monotonicMs();
    }
    return held;
  };
}
