import { Counter, Gauge, Histogram, latencyBucketsS, type Registry } from '#common/metrics.ts';

export type RecordsMetrics = ReturnType<typeof createRecordsMetrics>;

export function createRecordsMetrics(registry: Registry) {
  const registers = [registry];
  return {
    requestSeconds: new Histogram({
      name: 'records_request_seconds',
      help: 'Seconds from a request to its answer, by route and status.',
      labelNames: ['route', 'status'],
      buckets: latencyBucketsS,
      registers,
    }),
    votesMissing: new Counter({
      name: 'votes_missing_total',
      help: 'Signed receipts whose record was read and whose vote is not there: must stay 0.',
      registers,
    }),
    sessionRecords: new Gauge({
      name: 'session_records',
      help: 'Records of a session whose turn it is: accepted (in the log), and how many ended how.',
      labelNames: ['session_id', 'verdict'],
      registers,
    }),
    balanceOff: new Gauge({
      name: 'session_balance_off_records',
      help: 'Records of a session by which log and verdicts differ: must stay 0.',
      labelNames: ['session_id'],
      registers,
    }),
    balanceAge: new Gauge({
      name: 'session_balance_age_seconds',
      help: 'Seconds since log and verdicts of a session could last be compared.',
      labelNames: ['session_id'],
      registers,
    }),
    sessionsNotMeasured: new Gauge({
      name: 'balance_sessions_not_measured',
      help: 'Sessions whose balance is due and was not measured for a minute: 0, up to 3,000.',
      registers,
    }),
    logBalanceOff: new Gauge({
      name: 'log_balance_off_records',
      help: 'Records that the ledger read of a log and gave no verdict, or one too many: stays 0.',
      labelNames: ['log'],
      registers,
    }),
    logCounterLag: new Gauge({
      name: 'log_counter_lag_records',
      help: 'Records in a log that the log counter has not counted yet.',
      labelNames: ['log'],
      registers,
    }),
    logRecordsMissed: new Counter({
      name: 'log_records_missed_total',
      help: 'Records that left the log before they were counted: the balance cannot be right.',
      registers,
    }),
  };
}
