import { Counter, Histogram, latencyBucketsS, type Registry } from '#common/metrics.ts';

export type PortalMetrics = ReturnType<typeof createMetrics>;

export function createMetrics(registry: Registry) {
  const registers = [registry];
  return {
    requestSeconds: new Histogram({
      name: 'portal_request_seconds',
      help: 'Seconds from a request to its answer, by route and status.',
      labelNames: ['route', 'status'],
      buckets: latencyBucketsS,
      registers,
    }),
    logins: new Counter({
      name: 'portal_logins_total',
      help: 'Attempts to log in to the portal, by how they ended.',
      labelNames: ['result'],
      registers,
    }),
    sessionChanges: new Counter({
      name: 'portal_session_changes_total',
      help: 'Sessions created, opened, closed and released by admins.',
      labelNames: ['change'],
      registers,
    }),
    acts: new Counter({
      name: 'portal_acts_total',
      help: 'Acts of two people, by kind and step: proposed, signed by one, agreed by two.',
      labelNames: ['kind', 'step'],
      registers,
    }),
    copiesLate: new Counter({
      name: 'portal_copies_late_total',
      help: 'Commands of unknown outcome because too few database copies had them in 3 s.',
      registers,
    }),
  };
}
