import { Counter, Gauge, Histogram, latencyBucketsS, type Registry } from '#common/metrics.ts';

/** The counters of one behaviour, bound once so that a request looks up no labels. */
export interface BehaviorMetrics {
  readonly answered: (status: number) => void;
  readonly cached: (how: 'hit' | 'stale' | 'miss') => void;
  /** From sending to the headers of the answer. */
  readonly originSeconds: (seconds: number) => void;
  readonly streamOpened: () => void;
  readonly streamClosed: () => void;
}

export interface EdgeMetrics {
  readonly ofBehavior: (id: string) => BehaviorMetrics;
  readonly blocked: (acl: string, rule: string) => void;
  readonly originFault: (origin: string, fault: string) => void;
}

/** Call it once a registry, and `ofBehavior` once a behaviour, at start. */
export function createEdgeMetrics(registry: Registry): EdgeMetrics {
  const registers = [registry];
  const requests = new Counter({
    name: 'edge_requests_total',
    help: 'Answers to viewers, by behaviour and class of status.',
    labelNames: ['behavior', 'status'],
    registers,
  });
  const cache = new Counter({
    name: 'edge_cache_total',
    help: 'Requests of cacheable behaviours: hit, stale (refetched behind the viewer), miss.',
    labelNames: ['behavior', 'result'],
    registers,
  });
  const origin = new Histogram({
    name: 'edge_origin_seconds',
    help: 'Seconds from sending a request to an origin until the headers of its answer.',
    labelNames: ['behavior'],
    buckets: latencyBucketsS,
    registers,
  });
  const streams = new Gauge({
    name: 'edge_streams_active',
    help: 'Event streams that are open through the edge.',
    registers,
  });
  const blocked = new Counter({
    name: 'edge_waf_blocked_total',
    help: 'Requests that a rule of a web ACL blocked.',
    labelNames: ['acl', 'rule'],
    registers,
  });
  const faults = new Counter({
    name: 'edge_origin_faults_total',
    help: 'Requests that an origin did not answer: unreachable, broken, timeout, full, too_large.',
    labelNames: ['origin', 'fault'],
    registers,
  });
  const ofBehavior = (behavior: string): BehaviorMetrics => {
    const byClass = [1, 2, 3, 4, 5].map((digit) => requests.labels(behavior, `${digit}xx`));
    const results = {
      hit: cache.labels(behavior, 'hit'),
      stale: cache.labels(behavior, 'stale'),
      miss: cache.labels(behavior, 'miss'),
    };
    const seconds = origin.labels(behavior);
    return {
      answered: (status) => byClass[Math.floor(status / 100) - 1]?.inc(),
      cached: (how) => results[how].inc(),
      originSeconds: (value) => seconds.observe(value),
      streamOpened: () => streams.inc(),
      streamClosed: () => streams.dec(),
    };
  };
  return {
    ofBehavior,
    blocked: (acl, rule) => blocked.inc({ acl, rule }),
    originFault: (name, fault) => faults.inc({ origin: name, fault }),
  };
}

/** Counts what is turned away ahead of the edge, while the loop is behind. */
export function createTurnedAwayCounter(registry: Registry): () => void {
  const turnedAway = new Counter({
    name: 'edge_turned_away_total',
    help: 'Requests answered 503 at once because the event loop was behind.',
    registers: [registry],
  });
  return () => turnedAway.inc();
}
