import { Counter, Gauge, Histogram, latencyBucketsS, type Registry } from '#common/metrics.ts';
import type { BatchVerdicts } from './sql/count-batch.ts';

export interface LedgerMetrics {
  readonly counted: (verdicts: BatchVerdicts, seconds: number) => void;
  readonly fenced: () => void;
  readonly leased: (partitions: number) => void;
  readonly lag: (records: number) => void;
}

const verdictNames = ['counted', 'duplicate', 'replayed', 'late', 'quarantined'] as const;

export function createLedgerMetrics(registry: Registry): LedgerMetrics {
  const registers = [registry];
  const verdictsTotal = new Counter({
    name: 'ledger_records_total',
    help: 'Records of the log by the verdict they got.',
    labelNames: ['verdict'],
    registers,
  });
  const batchRecords = new Histogram({
    name: 'ledger_batch_records',
    help: 'Records in a committed batch.',
    buckets: [1, 5, 20, 50, 100, 250, 500, 1000, 2500, 5000],
    registers,
  });
  const batchSeconds = new Histogram({
    name: 'ledger_batch_seconds',
    help: 'Seconds that a committed batch took in Postgres, the round trip included.',
    buckets: latencyBucketsS,
    registers,
  });
  const fencedTotal = new Counter({
    name: 'ledger_fenced_total',
    help: 'Batches refused because another worker had counted their records.',
    registers,
  });
  const leasedPartitions = new Gauge({
    name: 'ledger_leased_partitions',
    help: 'Partitions this worker holds.',
    registers,
  });
  const lagRecords = new Gauge({
    name: 'ledger_lag_records',
    help: 'Records in the log behind what this worker has taken, over its partitions.',
    registers,
  });
  return {
    counted: (verdicts, seconds) => {
      let records = 0;
      for (const verdict of verdictNames) {
        verdictsTotal.inc({ verdict }, verdicts[verdict]);
        records += verdicts[verdict];
      }
      batchRecords.observe(records);
      batchSeconds.observe(seconds);
    },
    fenced: () => fencedTotal.inc(),
    leased: (partitions) => leasedPartitions.set(partitions),
    lag: (records) => lagRecords.set(records),
  };
}
