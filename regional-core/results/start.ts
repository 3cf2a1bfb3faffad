import type { Server } from 'node:http';
import { SECOND_MS, sleep } from '#common/clock.ts';
import type { ConfigOf } from '#common/config.ts';
import { createHttpServer, listen, listener } from '#common/http-server.ts';
import type { Running, ServiceContext } from '#common/service.ts';
import { createResultsApp } from './app.ts';
import type { config } from './config.ts';
import { createResults } from './create-results.ts';
import { type Followers, followResults, isCaughtUp, notReadyReasons } from './follow.ts';
import { addFollowingMetrics, createMetrics } from './metrics.ts';
import type { Results } from './results.ts';

/** Connections besides the streams: the edge's pool for snapshots, and streams that are refused. */
const otherConnectionsMax = 4096;
/** Time for snapshots under way when the streams have ended. */
const lastAnswersMsMax = SECOND_MS;

/** Answers requests at once, with `not_ready` until both topics have been read. */
export async function start(context: ServiceContext<ConfigOf<typeof config>>): Promise<Running> {
  const { log, clock, random, draining } = context;
  const { host, port, region, originSecrets, kafkaBrokers, topicPrefix } = context.config;
  const metrics = createMetrics(context.metrics);
  const results = createResults({
    ...context.config,
    clock,
    random,
    metrics,
    caughtUp: () => isCaughtUp(followers),
    draining: () => draining.aborted,
  });
  const followers = followResults({
    brokers: kafkaBrokers,
    topicPrefix,
    clientId: 'results',
    log,
    state: results.state,
    now: () => clock.now(),
    onChange: (sessionId) => results.broadcaster.markChanged(sessionId),
    onIgnored: metrics.ignored,
  });
  addFollowingMetrics(context.metrics, followers, () => {
    const { newestTotalsMs } = results.state;
    return newestTotalsMs === 0 ? undefined : clock.now() - newestTotalsMs;
  });
  const app = createResultsApp(results, { log, region, originSecrets });
  const server = createHttpServer(listener(app));
  server.maxConnections = context.config.streamsMax + otherConnectionsMax;
  await listen(server, host, port);
  const sweeping = setInterval(() => results.broadcaster.sweep(), SECOND_MS);
  let ended: Promise<void> | undefined;
  const endStreams = (): Promise<void> => {
    clearInterval(sweeping);
    return (ended ??= endAll(results, server));
  };
  return {
    server,
    notReady: () => notReadyReasons(followers),
    endStreams: () => void endStreams(),
    drain: async () => {
      await endStreams();
      await close(followers);
    },
  };
}

async function endAll({ broadcaster }: Results, server: Server): Promise<void> {
  await broadcaster.drain();
  server.closeIdleConnections();
  await sleep(lastAnswersMsMax);
  server.closeAllConnections();
}

async function close(followers: Followers): Promise<void> {
  await Promise.all(Object.values(followers).map((follower) => follower.close()));
}
