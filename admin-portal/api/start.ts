import { sleep } from '#common/clock.ts';
import { createCopies } from '#common/copies.ts';
import { createHttpServer, listen, listener } from '#common/http-server.ts';
import { createPool, isPostgresAway } from '#common/postgres.ts';
import { createRedis } from '#common/redis.ts';
import type { Running, ServiceContext } from '#common/service.ts';
import { createPortalApp } from './app.ts';
import { Attempts } from './attempts.ts';
import type { PortalConfig } from './config.ts';
import { ensureFirstAdmins } from './first-admins.ts';
import { Logins } from './logins.ts';
import { createMetrics } from './metrics.ts';
import { PasswordHasher } from './password.ts';
import type { Portal } from './portal.ts';
import { declareLogs } from './sql/declare-logs.ts';

const connectionsMax = 5;
const redisCommandMs = 500;
const prepareRetryMs = 1000;

/** Wires the portal's API and listens. */
export async function start(context: ServiceContext<PortalConfig>): Promise<Running> {
  const { config, log, clock, metrics, random } = context;
  const pool = createPool({
    url: config.postgresUrl,
    applicationName: 'portal',
    connectionsMax,
    log,
  });
  const redis = createRedis({
    url: config.redisUrl,
    name: 'portal',
    commandMs: redisCommandMs,
    log,
  });
  const portalMetrics = createMetrics(metrics);
  const portal: Portal = {
    pool,
    copies: createCopies({
      pool,
      copiesMin: config.postgresCopies,
      clock,
      onLate: () => portalMetrics.copiesLate.inc(),
    }),
    logs: config.logs,
    logins: new Logins(redis, config.redisPrefix, clock),
    attempts: new Attempts(redis, config.redisPrefix),
    passwords: new PasswordHasher(random),
    metrics: portalMetrics,
    log,
    clock,
  };
  const server = createHttpServer(listener(createPortalApp(portal, config)));
  await listen(server, config.host, config.port);
  let isPrepared = false;
  const preparation = (async () => {
    try {
      await prepare(portal, context);
      isPrepared = true;
    } catch (error) {
      context.fail(error, 'the logs or the first admins could not be written');
    }
  })();
  return {
    server,
    // Redis or Postgres away are not told here: every portal process would leave at once, and its
    // answers say it better.
    notReady: () => (isPrepared ? [] : ['no logs and no admin yet: Postgres has not answered']),
    drain: async () => {
      await preparation;
      redis.disconnect();
      await pool.end();
    },
  };
}

/** Waits for Postgres as long as the process lives. */
async function prepare(
  portal: Portal,
  { config, draining }: ServiceContext<PortalConfig>,
): Promise<void> {
  const { pool, log, logs } = portal;
  while (!draining.aborted) {
    try {
      // Sessions that are open already must wait for a region that has joined.
      await declareLogs(pool, logs);
      await ensureFirstAdmins(portal, config.firstAdmins);
      return;
    } catch (error) {
      if (!isPostgresAway(error)) throw error;
      log.warn({ err: error }, 'postgres is away');
      await sleep(prepareRetryMs, draining);
    }
  }
}
