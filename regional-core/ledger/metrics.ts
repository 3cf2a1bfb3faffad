import { Counter, Gauge, Histogram, latencyBucketsS, type Registry } from '#common/metrics.ts';
import type { BatchVerdicts } from './sql/count-batch.ts';

export interface LedgerMetrics {
  readonly counted: (verdicts: BatchVerdicts, seconds: number) => void;
  readonly fenced: () => void;
  readonly leased: (partitions: number) => void;
  readonly lag: (records: number) => void;
  readonly stopped: (partitions: number) => void;
  /** A seal was written to the log named: this one, or the standby. */
  readonly sealed: (log: string) => void;
  readonly settled: (sessions: number) => void;
  /** Of those that this worker would write. */
  readonly contradicted: (results: number) => void;
}

const verdictNames = [
  'counted',
  'duplicate',
  'replayed',
  'late',
  'quarantined',
  'control',
] as const;

/** Made once a process; gives what each log that it counts reports to. */
export function createLedgerMetrics(registry: Registry): (log: string) => LedgerMetrics {
  const registers = [registry];
  const verdictsTotal = new Counter({
    name: 'ledger_records_total',
    help: 'Records of the log by the verdict they got.',
    labelNames: ['log', 'verdict'],
    registers,
  });
  const batchRecords = new Histogram({
    name: 'ledger_batch_records',
    help: 'Records in a committed batch.',
    buckets: [1, 5, 20, 50, 100, 250, 500, 1000, 2500, 5000],
    labelNames: ['log'],
    registers,
  });
  const batchSeconds = new Histogram({
    name: 'ledger_batch_seconds',
    help: 'Seconds that a committed batch took in Postgres, the round trip included.',
    buckets: latencyBucketsS,
    labelNames: ['log'],
    registers,
  });
  const fencedTotal = new Counter({
    name: 'ledger_fenced_total',
    help: 'Batches refused because another worker had counted their records.',
    labelNames: ['log'],
    registers,
  });
  const leasedPartitions = new Gauge({
    name: 'ledger_leased_partitions',
    help: 'Partitions this worker holds.',
    labelNames: ['log'],
    registers,
  });
  const lagRecords = new Gauge({
    name: 'ledger_lag_records',
    help: 'Records in the log behind what this worker has taken, over its partitions.',
    labelNames: ['log'],
    registers,
  });
  const stoppedPartitions = new Gauge({
    name: 'ledger_stopped_partitions',
    help: 'Partitions that cannot be counted any further: records gone, a hole, or refused.',
    labelNames: ['log'],
    registers,
  });
  const sealsTotal = new Counter({
    name: 'ledger_seals_written_total',
    help: 'Seals written to logs of votes; one that was written twice counts twice.',
    labelNames: ['log'],
    registers,
  });
  const settledTotal = new Counter({
    name: 'ledger_sessions_settled_total',
    help: 'Sessions whose winners were decided after every partition was read through its seal.',
    registers,
  });
  const contradictedResults = new Gauge({
    name: 'ledger_contradicted_results',
    help: 'Results that two people agreed on and that rows or tallies contradict: a person must look.',
    registers,
  });
  return (log) => ({
    counted: (verdicts, seconds) => {
      let records = 0;
      for (const verdict of verdictNames) {
        verdictsTotal.inc({ log, verdict }, verdicts[verdict]);
        records += verdicts[verdict];
      }
      batchRecords.observe({ log }, records);
      batchSeconds.observe({ log }, seconds);
    },
    fenced: () => fencedTotal.inc({ log }),
    leased: (partitions) => leasedPartitions.set({ log }, partitions),
    lag: (records) => lagRecords.set({ log }, records),
    stopped: (partitions) => stoppedPartitions.set({ log }, partitions),
    sealed: (name) => sealsTotal.inc({ log: name }),
    settled: (sessions) => settledTotal.inc(sessions),
    contradicted: (results) => contradictedResults.set(results),
  });
}
