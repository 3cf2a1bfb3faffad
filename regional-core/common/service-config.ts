import { choiceKey, integerKey, textKey, urlKey } from './config.ts';
import { logLevels } from './log.ts';

/** The keys that every process has; a service's `config.ts` spreads these first. */
export const serviceKeys = {
  host: textKey('VOTE_HOST', 'Address the listeners bind to; 0.0.0.0 in a container.', {
    fallback: '127.0.0.1',
  }),
  internalPort: integerKey(
    'VOTE_INTERNAL_PORT',
    'Port of /healthz, /readyz and /metrics; never reachable from outside the cluster.',
    { min: 1, max: 65_535 },
  ),
  logLevel: choiceKey('VOTE_LOG_LEVEL', 'Least important level that is logged.', logLevels, {
    fallback: 'info',
  }),
  drainNoticeMs: integerKey(
    'VOTE_DRAIN_NOTICE_MS',
    'Milliseconds between "not ready" and closing the listener, for the load balancer to notice.',
    // With the 20 s that a drain may take: within the 30 s in which a rolling deploy waits.
    { min: 0, max: 10_000 },
    { fallback: '0' },
  ),
};

/** The public listener's port. */
export const portKey = integerKey('VOTE_PORT', 'Port of the public listener.', {
  min: 1,
  max: 65_535,
});

/** The region this process works in, as in receipts and in `/r/{region}/`. */
export const regionKey = textKey('VOTE_REGION', 'Name of the region, such as us-east-1.');

export const redisUrlKey = urlKey('VOTE_REDIS_URL', "The region's Redis or Valkey.", [
  'redis',
  'rediss',
]);

/** Copies of the database that must have a command, a secret or a session before it is told. */
export const postgresCopiesKey = integerKey(
  'VOTE_POSTGRES_COPIES',
  'Copies of the database that must have replayed what is answered or told of it; 0: none. ' +
    'With 0 a fail-over that loses commits may lose what was answered or told.',
  { min: 0, max: 10 },
);

/** The one global database; the role in it is the service's own. */
export const postgresUrlKey = urlKey(
  'VOTE_POSTGRES_URL',
  'The global Postgres writer, with the role of this service.',
  ['postgres', 'postgresql'],
);
