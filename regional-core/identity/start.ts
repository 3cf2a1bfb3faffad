import { createSecretKey } from 'node:crypto';
import { MINUTE_MS, SECOND_MS } from '#common/clock.ts';
import type { ConfigOf } from '#common/config.ts';
import { sessionState } from '#common/contracts/session.ts';
import { type Copies, createCopies } from '#common/copies.ts';
import { createHttpServer, listen, listener } from '#common/http-server.ts';
import { createBulkhead } from '#common/password/bulkhead.ts';
import { createPool, type Pool } from '#common/postgres.ts';
import { createRedis, type Redis } from '#common/redis.ts';
import { repeat } from '#common/repeat.ts';
import type { Running, ServiceContext } from '#common/service.ts';
import { type AppDeps, createIdentityApp } from './app.ts';
import { keepSecretIn } from './ballot/keep-secret.ts';
import { ownFirst } from './ballot/regions.ts';
import { SessionSecrets } from './ballot/session-secrets.ts';
import type { config } from './config.ts';
import { createLimiter } from './limit/limiter.ts';
import { createMailer } from './mail/mailer.ts';
import { createIdentityMetrics, observeState } from './metrics.ts';
import { SessionList } from './session/session-list.ts';
import { deleteExpired } from './sql/delete-expired.ts';
import { deleteFinalSecrets } from './sql/delete-final-secrets.ts';
import { insertBallotKey } from './sql/insert-ballot-key.ts';
import { loadRevocations } from './sql/load-revocations.ts';
import { loadSessions } from './sql/load-sessions.ts';
import { createAccessVerifier } from './token/access-token.ts';
import { Revocations } from './token/revocations.ts';

type Context = ServiceContext<ConfigOf<typeof config>>;

/** Two hashes at once (37 ms each) leave the other cores to ballots; 64 in line wait ≤ 1.3 s. */
const passwordsParallelMax = 2;
const passwordsWaitingMax = 64;

/** Whoever waits for copies that lag holds one of these, and none of those that logins need. */
const commandsMax = 4;

/** A limiter's answer later than this is not worth waiting for. */
const redisCommandMs = 100;

/** Opens the stores, the loops and the listener; see README.md for how they hang together. */
export async function startIdentity(context: Context): Promise<Running> {
  const { config, log } = context;
  const pool = createPool({
    url: config.postgresUrl,
    applicationName: 'identity',
    connectionsMax: 10,
    log,
  });
  const redis = createRedis({
    url: config.redisUrl,
    name: 'identity',
    commandMs: redisCommandMs,
    log,
  });
  const commands = createPool({
    url: config.postgresUrl,
    applicationName: 'identity-commands',
    connectionsMax: commandsMax,
    log,
  });
  const deps = assemble(context, { pool, commands, redis });
  const loops = startLoops(context, pool, deps);
  const app = createIdentityApp(
    { log, region: config.region, originSecrets: config.originSecrets },
    deps,
  );
  const server = createHttpServer(listener(app));
  await listen(server, config.host, config.port);
  return {
    server,
    // Postgres away later is no reason: ballots go on from memory.
    notReady: () => [
      ...(deps.sessions.isLoaded ? [] : ['voting sessions not read yet']),
      ...(deps.revocations.isLoaded ? [] : ['revocations not read yet']),
      ...(loops.isBallotKeyKnown() ? [] : ['public ballot key not stored yet']),
    ],
    drain: async () => {
      await loops.ended;
      deps.mailer.close();
      redis.disconnect();
      await Promise.all([pool.end(), commands.end()]);
    },
  };
}

interface Stores {
  readonly pool: Pool;
  /** For what waits until copies of the database have it. */
  readonly commands: Pool;
  readonly redis: Redis;
}

function assemble(context: Context, { pool, commands, redis }: Stores): AppDeps {
  const { config, clock, random } = context;
  const metrics = createIdentityMetrics(context.metrics);
  const bulkhead = createBulkhead(passwordsParallelMax, passwordsWaitingMax, random);
  const sessions = new SessionList((known) => loadSessions(pool, known), clock);
  observeState(context.metrics, {
    passwordsWaiting: () => bulkhead.waiting,
    sessionsAgeS: () => sessions.ageS(),
  });
  const prefix = config.redisPrefix;
  const copies: Copies = createCopies({
    pool: commands,
    copiesMin: config.postgresCopies,
    clock,
    onLate: () => metrics.copiesLateTotal.inc(),
  });
  return {
    ...metrics,
    metrics,
    pool,
    copies,
    clock,
    random,
    bulkhead,
    sessions,
    secrets: new SessionSecrets(config.wrappingKey, keepSecretIn(copies)),
    revocations: new Revocations({
      load: (sinceMs, nowMs) => loadRevocations(pool, sinceMs, nowMs),
      redis,
      prefix,
      clock,
    }),
    limiter: createLimiter({ redis, prefix, clock, random, localTotal: metrics.localLimitsTotal }),
    mailer: createMailer({
      smtpUrl: config.smtpUrl,
      publicUrl: config.publicUrl,
      random,
      mailsTotal: metrics.mailsTotal,
    }),
    verifyAccess: createAccessVerifier([config.accessKey]),
    accessKey: config.accessKey,
    ballotKey: config.ballotKey,
    votingCodeKey: createSecretKey(config.votingCodeKey),
    voterIdKey: config.voterIdKey,
    regions: ownFirst(config.regions, config.region),
    publicUrl: config.publicUrl,
    resultsUrl: config.resultsUrl,
    jwks: [config.accessKey.publicJwk, config.ballotKey.publicJwk, ...config.receiptJwks],
  };
}

interface Loops {
  readonly isBallotKeyKnown: () => boolean;
  /** Resolves when the drain has ended them all. */
  readonly ended: Promise<unknown>;
}

function startLoops(context: Context, pool: Pool, deps: AppDeps): Loops {
  const { config, log, clock, draining } = context;
  let isBallotKeyKnown = false;
  const readSessions = async (): Promise<void> => {
    if (!isBallotKeyKnown) {
      await deps.copies.write((db) => insertBallotKey(db, config.ballotKey.publicJwk));
    }
    isBallotKeyKnown = true;
    await deps.sessions.refresh();
    // Fetched ahead of the first ballot: Postgres may be away when it comes.
    for (const session of deps.sessions.all()) {
      if (session.is_final) deps.secrets.forget(session.session_id);
      else if (sessionState(session, clock.now()) !== 'closed') {
        await deps.secrets.get(session.session_id);
      }
    }
  };
  const works = [
    { name: 'reading voting sessions', everyMs: SECOND_MS, act: readSessions },
    {
      name: 'reading revocations',
      everyMs: 30 * SECOND_MS,
      act: () => deps.revocations.refresh(),
    },
    {
      name: 'deleting secrets of final sessions',
      everyMs: 5 * SECOND_MS,
      act: async () => {
        const secrets = await deleteFinalSecrets(pool);
        if (secrets > 0) log.info({ secrets }, 'secrets of final sessions deleted');
      },
    },
    {
      name: 'deleting what has expired',
      everyMs: 10 * MINUTE_MS,
      act: () => deleteExpired(pool, clock.now()),
    },
  ];
  return {
    isBallotKeyKnown: () => isBallotKeyKnown,
    ended: Promise.all(works.map((work) => repeat(work, { clock, log }, draining))),
  };
}
