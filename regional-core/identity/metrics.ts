import { Counter, Gauge, Histogram, latencyBucketsS, type Registry } from '#common/metrics.ts';

export type IdentityMetrics = ReturnType<typeof createIdentityMetrics>;

export function createIdentityMetrics(registry: Registry) {
  const registers = [registry];
  return {
    requestSeconds: new Histogram({
      name: 'identity_request_seconds',
      help: 'Seconds from a request to its answer, by route and status.',
      labelNames: ['route', 'status'],
      buckets: latencyBucketsS,
      registers,
    }),
    ballotsOpenedTotal: new Counter({
      name: 'identity_ballots_opened_total',
      help: 'Ballots signed, by the policy that admitted the voter.',
      labelNames: ['policy'],
      registers,
    }),
    refreshReusedTotal: new Counter({
      name: 'identity_refresh_reused_total',
      help: 'Refresh tokens seen a second time; each ended a login. Many at once: stolen tokens.',
      registers,
    }),
    mailsTotal: new Counter({
      name: 'identity_mails_total',
      help: 'Mails handed to the mail server, by outcome.',
      labelNames: ['outcome'],
      registers,
    }),
    copiesLateTotal: new Counter({
      name: 'identity_copies_late_total',
      help: 'Secrets and accounts held back because too few database copies had them in 3 s.',
      registers,
    }),
    localLimitsTotal: new Counter({
      name: 'identity_local_limits_total',
      help: 'Limits counted in this process because Redis was away, by limit.',
      labelNames: ['limit'],
      registers,
    }),
  };
}

/** Gauges read when somebody scrapes. */
export function observeState(
  registry: Registry,
  state: { readonly passwordsWaiting: () => number; readonly sessionsAgeS: () => number },
): void {
  const passwordsWaiting: Gauge = new Gauge({
    name: 'identity_passwords_waiting',
    help: 'Logins and registrations that wait for their turn to hash a password.',
    registers: [],
    collect: () => passwordsWaiting.set(state.passwordsWaiting()),
  });
  const sessionsAge: Gauge = new Gauge({
    name: 'identity_sessions_age_seconds',
    help: 'Seconds since the voting sessions were read from Postgres.',
    registers: [],
    collect: () => sessionsAge.set(state.sessionsAgeS()),
  });
  registry.registerMetric(passwordsWaiting);
  registry.registerMetric(sessionsAge);
}
