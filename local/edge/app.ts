import { randomUUID } from 'node:crypto';
import type { IncomingMessage, RequestListener } from 'node:http';
import { type Clock, systemClock } from '#common/clock.ts';
import type { Log } from '#common/log.ts';
import type { Registry } from '#common/metrics.ts';
import type { WebAcl } from '#waf/evaluate/types.ts';
import type { AclName } from '#waf/read.ts';
import type { DistributionName, EdgeConfig } from '../../edge-config/read.ts';
import { createAdmission } from './admit.ts';
import type { AskSettings } from './ask-origin.ts';
import { Cache } from './cache.ts';
import { answerFrom, serveCached } from './cached.ts';
import type { EdgeOrigins } from './config.ts';
import { compileDistributions } from './distribution.ts';
import { refuse } from './error-page.ts';
import type { Exchange, Incoming } from './exchange.ts';
import { forward } from './forward.ts';
import { createEdgeMetrics } from './metrics.ts';
import { watchOrigins } from './origin-log.ts';
import { StaticFiles } from './static-files.ts';

export interface EdgeOptions {
  readonly config: EdgeConfig;
  readonly acls: Readonly<Record<AclName, WebAcl>>;
  readonly origins: EdgeOrigins;
  readonly originSecret: string;
  /** Address of the results host, for the page's content security policy. */
  readonly resultsOrigin: string;
  /** The folder that the static origins' directories lie under. */
  readonly root: URL;
  readonly log: Log;
  readonly metrics: Registry;
  readonly clock?: Clock;
}

export interface Edge {
  /** Answers requests; `host` fixes the distribution whatever the Host header says. */
  readonly listener: (host?: DistributionName) => RequestListener;
  /** Ends the connections to the origins, open streams with them. */
  readonly close: () => void;
}

const cacheBytesMax = 64 * 1024 * 1024;
/** How long a failed refetch is not repeated while a stale answer is in use. */
const retryS = 1;

/** The edge of all three hosts: a request is admitted, then served from files, cache or origin. */
export function createEdge(options: EdgeOptions): Edge {
  const { config, origins, resultsOrigin, root, log, clock = systemClock } = options;
  const distributions = compileDistributions(config, origins, resultsOrigin, root);
  const metrics = createEdgeMetrics(options.metrics);
  const admit = createAdmission(distributions, options.acls, metrics, clock);
  const cache = new Cache(clock, cacheBytesMax, retryS);
  const settings: AskSettings = {
    originSecret: options.originSecret,
    failoverStatuses: distributions.failoverStatuses,
  };
  watchOrigins(distributions.pools, metrics, log, clock);

  const serve = (exchange: Exchange): Promise<void> => {
    const { target, cache: policy } = exchange.behavior;
    if (target instanceof StaticFiles) return serveFile(exchange, target);
    if (policy.MaxTTL === 0) return forward(exchange, target, settings);
    return serveCached(exchange, target, cache, settings);
  };
  return {
    listener: (host) => (request, response) => {
      const incoming = { request, response, viewer: viewerOf(request) };
      const exchange = admit(incoming, host);
      if (exchange === undefined) return;
      serve(exchange).catch((error: unknown) => {
        log.error({ err: error }, 'a request met a fault of the edge');
        refuse(incoming, 502);
      });
    },
    close: () => {
      for (const pool of distributions.pools) pool.destroy();
    },
  };
}

function viewerOf(request: IncomingMessage): Incoming['viewer'] {
  const { remoteAddress = 'unknown', remotePort = 0 } = request.socket;
  // A listener on :: sees IPv4 peers in their mapped form.
  const address = remoteAddress.startsWith('::ffff:') ? remoteAddress.slice(7) : remoteAddress;
  return { requestId: randomUUID(), address, port: remotePort };
}

async function serveFile(exchange: Exchange, files: StaticFiles): Promise<void> {
  const { request, behavior, path, metrics } = exchange;
  const accepted = request.headers['accept-encoding'] ?? '';
  const file = await files.find(path, accepted);
  if (file === undefined) {
    metrics.answered(404);
    return refuse(exchange, 404, behavior.response.overriding);
  }
  const headers = [...file.headers, ...behavior.response.overriding];
  const freshness = { kind: 'private' } as const;
  const answer = { status: 200, headers, etag: file.etag, body: file.body, freshness };
  answerFrom(exchange, { answer, how: 'miss', ageS: 0 });
}
