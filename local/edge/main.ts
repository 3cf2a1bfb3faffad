import type { Server } from 'node:http';
import { closeGracefully, createHttpServer, listen } from '#common/http-server.ts';
import { runService } from '#common/service.ts';
import { readAcls } from '#waf/read.ts';
import { readEdgeConfig } from '../../edge-config/read.ts';
import { createEdge } from './app.ts';
import { edgeConfig } from './config.ts';

/** Requests under way get so long; streams never end by themselves and are cut then. */
const finishMs = 2000;

await runService({
  name: 'edge',
  config: edgeConfig,
  start: async ({ config, log, metrics }) => {
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
    const server = createHttpServer(edge.listener());
    const portalServer = createHttpServer(edge.listener('portal'));
    await listen(server, config.host, config.port);
    await listen(portalServer, config.host, config.portalPort);
    return {
      notReady: () => [],
      drain: () => drain([server, portalServer], edge.close),
    };
  },
});

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
