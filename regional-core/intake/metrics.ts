import { Counter, Gauge, Histogram, latencyBucketsS, type Registry } from '#common/metrics.ts';

type Attempted = (outcome: 'ok' | 'failed', records: number, seconds: number) => void;

/**
 * `answered`: `accepted`, the code of an error, or `other`. Seconds are from the request, or from
 * the sending of a batch.
 */
export interface IntakeMetrics {
  readonly answered: (code: string, seconds: number) => void;
  readonly redisAway: () => void;
  /** At a batch for the region's own log. */
  readonly attempted: Attempted;
  /** At its copy for the other region. */
  readonly copied: Attempted;
}

/** What is asked at each scrape. */
export interface IntakeState {
  readonly queueHeld: () => number;
  readonly inFlight: () => number;
  readonly pressure: () => number;
  readonly receiptKeyReadable: () => boolean;
  readonly standbyAway: () => boolean;
}

/**
 * Call it once a registry. What `state` gives is asked at every scrape and must not throw: the
 * scrape would fail as a whole.
 */
export function createIntakeMetrics(registry: Registry, state: IntakeState): IntakeMetrics {
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
  const copies = new Counter({
    name: 'standby_records_total',
    help: 'Votes sent to the other region by outcome: ok is acknowledged there.',
    labelNames: ['outcome'],
    registers,
  });
  gaugeState(registry, state);
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
    copied: (outcome, records) => copies.inc({ outcome }, records),
  };
}

/** Asked when somebody scrapes. */
function gaugeState(registry: Registry, state: IntakeState): void {
  const show = (
    options: { readonly name: string; readonly help: string },
    value: () => number | boolean,
  ): void => {
    const gauge: Gauge = new Gauge({
      ...options,
      registers: [registry],
      collect: () => gauge.set(Number(value())),
    });
  };
  show(
    { name: 'produce_queue_records', help: 'Votes that wait for an acknowledgement.' },
    state.queueHeld,
  );
  show(
    { name: 'votes_in_flight', help: 'Requests to POST /votes that have no answer yet.' },
    state.inFlight,
  );
  show(
    {
      name: 'admission_pressure_ratio',
      help: 'How near the worst bound of admission is; from 1 on requests are refused.',
    },
    state.pressure,
  );
  show(
    {
      name: 'receipt_key_readable',
      help: '1 while the file of the receipt key holds one; at 0 the last good key signs on.',
    },
    state.receiptKeyReadable,
  );
  show(
    {
      name: 'standby_away',
      help: '1 while the other region takes no copies, or its settings were not read.',
    },
    state.standbyAway,
  );
}
