import type { Elsewhere } from '../scenario.ts';

/** Faults that other tests cause, or that cannot come about here. */
export const elsewhere: readonly Elsewhere[] = [
  {
    id: 'F10',
    fault: 'an exception at each await in turn',
    elsewhere:
      'test/simulate/simulate.test.ts: every await on something outside its process is cut before and after (test/simulate/cut-points.ts), and one that was never hit is named',
  },
  {
    id: 'F29',
    fault: 'Kafka: forced unclean election',
    elsewhere:
      'test/regional-core/common/log-diverged.stores.test.ts: a log that lost its past is not read on; votes are gone, so the checker could not pass',
  },
  {
    id: 'F33',
    fault: 'Kafka: producer state expired on the broker',
    elsewhere: 'not applicable: producers are not idempotent, brokers keep no state of them',
  },
  {
    id: 'F36',
    fault: 'Kafka: retention or delete passes the next offset',
    elsewhere:
      'test/regional-core/ledger/broken-log.stores.test.ts, on a Kafka of its own: votes are gone, so the checker could not pass',
  },
  {
    id: 'F37',
    fault: 'Kafka: topic deleted and made again',
    elsewhere: 'test/regional-core/ledger/broken-log.stores.test.ts, as F36',
  },
  {
    id: 'F56',
    fault: 'closing more than 24.8 days away, daylight saving, zones',
    elsewhere:
      'no timer is set on a closing time; milliseconds UTC: test/regional-core/common/contracts/far-closing.test.ts',
  },
  {
    id: 'F59',
    fault: 'counters at 2^31 and 2^53 − 1',
    elsewhere:
      'a tally at 2^31 and offsets at 2^53 − 1: test/regional-core/ledger/closing.stores.test.ts; totals: test/regional-core/publisher/totals.test.ts, test/regional-core/results/final.test.ts; sequences: test/regional-core/common/contracts/vote-aggregated.test.ts',
  },
  {
    id: 'F63',
    fault: 'stale copy at the edge after the final result',
    elsewhere:
      'test/e2e/final.test.ts through the local edge; test/regional-core/results/final.test.ts',
  },
];
