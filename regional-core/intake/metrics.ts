import { Counter, Gauge, Histogram, latencyBucketsS, type Registry } from '#common/metrics.ts';

export interface IntakeMetrics {
  readonly answered: (code: string, seconds: number) => void;
  readonly redisAway: () => void;
  readonly attempted: (outcome: 'ok' | 'failed', records: number, seconds: number) => void;
}

export function createIntakeMetrics(registry: Registry, queueHeld: () => number): IntakeMetrics {
  const registers = [registry];
  const submitted = new Counter({
    name: 'votes_submitted_total',
    help: 'Requests to POST /votes by how they were answered: accepted, or the error code.',
    labelNames: ['code'],
    registers,
  });
  const duplicates = new Counter({
    name: 'votes_duplicate_total',
    help: 'Submissions refused because another choice of the voter is recorded.',
    registers,
  });
  const answerSeconds = new Histogram({
    name: 'vote_answer_seconds',
    help: 'Seconds from the request to the answer of POST /votes.',
    buckets: latencyBucketsS,
    registers,
  });
  const away = new Counter({
    name: 'votes_without_redis_total',
    help: 'Submissions that went on with local limits and without a claim.',
    registers,
  });
  const attempts = new Counter({
    name: 'produce_attempts_total',
    help: 'Batches sent to Kafka by outcome: ok is acknowledged, failed goes to another leader.',
    labelNames: ['outcome'],
    registers,
  });
  const batchRecords = new Histogram({
    name: 'produce_batch_records',
    help: 'Votes in an acknowledged batch.',
    buckets: [1, 2, 4, 8, 16, 32, 64, 128, 256, 512],
    registers,
  });
  const produceSeconds = new Histogram({
    name: 'produce_seconds',
    help: 'Seconds until a batch was acknowledged by all in-sync replicas.',
    buckets: latencyBucketsS,
    registers,
  });
  const queued: Gauge = new Gauge({
    name: 'produce_queue_records',
    help: 'Votes that wait for an acknowledgement.',
    registers,
    collect: () => queued.set(queueHeld()),
  });
  return {
    answered: (code, seconds) => {
      submitted.inc({ code });
      answerSeconds.observe(seconds);
      if (code === 'duplicate_vote') duplicates.inc();
    },
    redisAway: () => away.inc(),
    attempted: (outcome, records, seconds) => {
      attempts.inc({ outcome });
      if (outcome === 'failed') return;
      batchRecords.observe(records);
      produceSeconds.observe(seconds);
    },
  };
}
