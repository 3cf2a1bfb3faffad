import type { RequestListener, Server } from 'node:http';
import { systemClock } from '#common/clock.ts';
import { Gate } from '#common/gate.ts';
import { closeGracefully, createHttpServer, listen } from '#common/http-server.ts';
import { listenPublic } from '#common/listen-public.ts';
import { runService } from '#common/service.ts';
import { shedding } from '#common/shed.ts';
import { readAcls } from '#waf/read.ts';
import { readEdgeConfig } from '../../edge-config/read.ts';
import { createEdge } from './app.ts';
import { edgeConfig } from './config.ts';
import { createTurnedAwayCounter } from './metrics.ts';

/** Requests under way get so long; streams never end by themselves and are cut then. */
const finishMs = 2000;
/** Of viewers: streams, and those who vote at the same time. */
const connectionsMax = 20_000;

await runService({
  name: 'edge',
  config: edgeConfig,
  start: async ({ config, log, metrics, random }) => {
    const edge = createEdge({
      config: readEdgeConfig(),
      acls: readAcls(),
      origins: config.origins,
      originSecret: config.originSecret,
      resultsOrigin: `http://results.localhost:${config.port}`,
      root: new URL('../../', import.meta.url),
      log,
      metrics,
    });
    const gate = new Gate({ clock: systemClock, random, waitedMs: () => 0 });
    const gated = shedding(
      answering(edge.listener(), gate),
      gate,
      createTurnedAwayCounter(metrics),
    );
    const server = createHttpServer(gated);
    const portalServer = createHttpServer(edge.listener('portal'));
    await listenPublic(server, config.host, config.port, connectionsMax);
    await listen(portalServer, config.host, config.portalPort);
    return {
      notReady: () => [],
      drain: async () => {
        gate.close();
        await drain([server, portalServer], edge.close);
      },
    };
  },
});

/** Tells the gate of each that was let in: how many are turned away for it decides their wait. */
function answering(handle: RequestListener, gate: Gate): RequestListener {
  return (request, response) => {
    gate.answered('all');
    handle(request, response);
  };
}

async function drain(servers: readonly Server[], closeOrigins: () => void): Promise<void> {
  // Both listeners are closed here: `Running.server` has room for one.
  const closed = servers.map(closeGracefully);
  const late = setTimeout(() => {
    closeOrigins();
    for (const server of servers) server.closeAllConnections();
  }, finishMs);
  await Promise.all(closed);
  clearTimeout(late);
  closeOrigins();
}
