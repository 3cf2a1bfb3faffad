import { Counter, Gauge, Histogram, latencyBucketsS, type Registry } from '#common/metrics.ts';

export interface PublisherMetrics {
  readonly published: (sessions: number, seconds: number) => void;
  readonly held: () => void;
  readonly copiesLate: () => void;
  readonly contradictions: (sessions: number) => void;
}

export function createPublisherMetrics(registry: Registry): PublisherMetrics {
  const registers = [registry];
  const sessionsTotal = new Counter({
    name: 'totals_published_total',
    help: 'Totals sent to vote-aggregated, one a session and tick.',
    registers,
  });
  const tickSeconds = new Histogram({
    name: 'totals_tick_seconds',
    help: 'Seconds from reading the totals to their acknowledgement.',
    buckets: latencyBucketsS,
    registers,
  });
  const heldTotal = new Counter({
    name: 'totals_held_total',
    help: 'Ticks that published nothing because the database lay behind what was published.',
    registers,
  });
  const copiesLateTotal = new Counter({
    name: 'publisher_copies_late_total',
    help: 'Reads of sessions not told because too few database copies had them in 3 s.',
    registers,
  });
  const contradicted = new Gauge({
    name: 'finals_contradicted',
    help: 'Sessions of which the database holds another final result than was told: always 0.',
    registers,
  });
  return {
    published: (sessions, seconds) => {
      sessionsTotal.inc(sessions);
      tickSeconds.observe(seconds);
    },
    held: () => heldTotal.inc(),
    copiesLate: () => copiesLateTotal.inc(),
    contradictions: (sessions) => contradicted.set(sessions),
  };
}
