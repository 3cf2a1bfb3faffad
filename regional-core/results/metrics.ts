import { Counter, Gauge, Histogram, latencyBucketsS, type Registry } from '#common/metrics.ts';
import { type FollowedTopic, type Followers, followedTopics } from './follow.ts';
import type { EndReason } from './stream/broadcaster.ts';

export type ResultsMetrics = ReturnType<typeof createMetrics>;

/**
 * Call it once a registry. `stream.roundDone` takes the age of the totals in ms; one below 0, by
 * clocks that differ, counts as 0.
 */
export function createMetrics(registry: Registry) {
  const registers = [registry];
  const active = new Gauge({
    name: 'connections_active',
    help: 'Open results streams.',
    registers,
  });
  const ended = new Counter({
    name: 'results_streams_ended_total',
    help: 'Streams that ended: client left, deadline of their age, stuck reader, drain.',
    labelNames: ['reason'],
    registers,
  });
  const refused = new Counter({
    name: 'results_streams_refused_total',
    help: 'Streams refused: full (process), address_full.',
    labelNames: ['reason'],
    registers,
  });
  const delivered = new Counter({
    name: 'results_deliveries_total',
    help: 'Ticks and snapshots written to streams after their first; heartbeats are not counted.',
    registers,
  });
  const dropped = new Counter({
    name: 'results_dropped_total',
    help: 'Ticks not written because the reader was behind; it gets the latest snapshot later.',
    registers,
  });
  const encoded = new Counter({
    name: 'results_encodes_total',
    help: 'Encodings made: snapshot, change. Compare with deliveries: each serves many streams.',
    labelNames: ['kind'],
    registers,
  });
  const ageAtWrite = new Histogram({
    name: 'results_age_at_write_seconds',
    help: 'Age of totals, from their reading in Postgres, when every stream had been written to.',
    buckets: latencyBucketsS,
    registers,
  });
  const requestSeconds = new Histogram({
    name: 'results_request_seconds',
    help: 'Seconds from a request to its answer, for streams to their headers, by route and status.',
    labelNames: ['route', 'status'],
    buckets: latencyBucketsS,
    registers,
  });
  const ignored = new Counter({
    name: 'results_messages_ignored_total',
    help: 'Messages skipped because they are of no known form.',
    labelNames: ['topic'],
    registers,
  });
  return {
    answered: (route: string, status: number, seconds: number) =>
      requestSeconds.observe({ route, status }, seconds),
    encodedSnapshot: () => encoded.inc({ kind: 'snapshot' }),
    ignored: (topic: FollowedTopic) => ignored.inc({ topic }),
    streamRefused: (reason: 'full' | 'address_full') => refused.inc({ reason }),
    stream: {
      opened: () => active.inc(),
      ended: (reason: EndReason) => {
        active.dec();
        ended.inc({ reason });
      },
      delivered: (chunks: number) => delivered.inc(chunks),
      dropped: () => dropped.inc(),
      encodedChange: () => encoded.inc({ kind: 'change' }),
      roundDone: (ageMs: number) => ageAtWrite.observe(Math.max(0, ageMs) / 1000),
    },
  };
}

/** Gauges that are read when they are asked for. */
export function addFollowingMetrics(
  registry: Registry,
  followers: Followers,
  totalsAgeMs: () => number | undefined,
): void {
  const age = new Gauge({
    name: 'results_totals_age_seconds',
    help: 'Seconds since the newest totals held were read from Postgres.',
    registers: [],
    collect() {
      const ageMs = totalsAgeMs();
      if (ageMs !== undefined) this.set(ageMs / 1000);
    },
  });
  const behind = new Gauge({
    name: 'results_behind_seconds',
    help: 'Seconds since the end of a topic was last known to be reached.',
    labelNames: ['topic'],
    registers: [],
    collect() {
      for (const topic of followedTopics) {
        const behindMs = followers[topic].behindMs();
        if (Number.isFinite(behindMs)) this.set({ topic }, behindMs / 1000);
      }
    },
  });
  registry.registerMetric(age);
  registry.registerMetric(behind);
}
