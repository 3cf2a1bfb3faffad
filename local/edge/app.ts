import { randomUUID } from 'node:crypto';
import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http';
import { type Clock, systemClock } from '#common/clock.ts';
import type { Log } from '#common/log.ts';
import type { Registry } from '#common/metrics.ts';
import { compileAcl, type Evaluator } from '#waf/evaluate/compile.ts';
import type { WebAcl } from '#waf/evaluate/types.ts';
import type { AclName } from '#waf/read.ts';
import type { DistributionName, EdgeConfig } from '../../edge-config/read.ts';
import type { AskSettings } from './ask-origin.ts';
import { Cache } from './cache.ts';
import { answerFrom, serveCached } from './cached.ts';
import type { EdgeOrigins } from './config.ts';
import { type Behavior, compileDistributions, distributionOfHost } from './distribution.ts';
import { type EdgeErrorStatus, refuse } from './error-page.ts';
import type { Exchange, Incoming } from './exchange.ts';
import { forward } from './forward.ts';
import { type BehaviorMetrics, createEdgeMetrics } from './metrics.ts';
import { watchOrigins } from './origin-log.ts';
import { hasPlainShape, readTarget } from './request-shape.ts';
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
  /** Answers a request; `host` fixes the distribution whatever the Host header says. */
  readonly listener: (host?: DistributionName) => RequestListener;
  /** Ends the connections to the origins, open streams with them. */
  readonly close: () => void;
}

const cacheBytesMax = 64 * 1024 * 1024;

/** The edge of all three hosts: shape → host → rules → behaviour → method → files, cache, origin. */
export function createEdge(options: EdgeOptions): Edge {
  const { config, origins, resultsOrigin, root, log, clock = systemClock } = options;
  const { byName, pools, failoverStatuses } = compileDistributions(
    config,
    origins,
    resultsOrigin,
    root,
  );
  const metrics = createEdgeMetrics(options.metrics);
  const measured = new Map<Behavior, BehaviorMetrics>();
  for (const { behaviors } of Object.values(byName)) {
    for (const behavior of behaviors) measured.set(behavior, metrics.ofBehavior(behavior.id));
  }
  // Requests that no behaviour takes.
  const unserved = metrics.ofBehavior('none');
  watchOrigins(pools, metrics, log, clock);
  const evaluators: Record<DistributionName, Evaluator> = {
    vote: compileAcl(options.acls.vote),
    results: compileAcl(options.acls.results),
    portal: compileAcl(options.acls.portal),
  };
  const cache = new Cache(clock, cacheBytesMax, 1);
  const settings: AskSettings = { originSecret: options.originSecret, failoverStatuses };

  const handle = async (incoming: Incoming, host: DistributionName | undefined): Promise<void> => {
    const { request, viewer } = incoming;
    const turnAway = (status: EdgeErrorStatus): void => {
      unserved.answered(status);
      refuse(incoming, status);
    };
    const name = host ?? distributionOfHost(request.headers.host ?? '');
    const target = readTarget(request.url!);
    if (typeof target === 'number') return turnAway(target);
    if (!hasPlainShape(request)) return turnAway(400);
    if (name === undefined) return turnAway(403);
    const verdict = evaluators[name].evaluate({
      address: viewer.address,
      requestId: viewer.requestId,
      atMs: clock.monotonicMs(),
    });
    if (verdict.action === 'Block') {
      metrics.blocked(name, verdict.ruleName);
      return answerBlock(incoming, verdict);
    }
    const distribution = byName[name];
    const behavior = distribution.behaviors.find((one) => one.matches(target.path));
    const method = request.method!;
    if (behavior === undefined || !behavior.methods.has(method)) return turnAway(403);
    const exchange: Exchange = {
      ...incoming,
      ...target,
      method,
      distribution,
      behavior,
      metrics: measured.get(behavior)!,
    };
    if (behavior.target instanceof StaticFiles) return await serveFile(exchange, behavior.target);
    if (behavior.cache.MaxTTL === 0) return await forward(exchange, behavior.target, settings);
    return await serveCached(exchange, behavior.target, cache, settings);
  };

  const listener = (host?: DistributionName): RequestListener => {
    return (request, response) => {
      const incoming = { request, response, viewer: viewerOf(request) };
      handle(incoming, host).catch((error: unknown) => {
        log.error({ err: error }, 'a request met a fault of the edge');
        refuse(incoming, 502);
      });
    };
  };
  const close = (): void => {
    for (const pool of pools) pool.destroy();
  };
  return { listener, close };
}

function viewerOf(request: IncomingMessage): Incoming['viewer'] {
  const { remoteAddress = 'unknown', remotePort = 0 } = request.socket;
  // A listener on :: sees IPv4 peers in their mapped form.
  const address = remoteAddress.startsWith('::ffff:') ? remoteAddress.slice(7) : remoteAddress;
  return { requestId: randomUUID(), address, port: remotePort };
}

type Block = { status: number; headers: readonly string[]; body: string };

function answerBlock(
  { response, viewer }: { response: ServerResponse } & Incoming,
  block: Block,
): void {
  const length = String(Buffer.byteLength(block.body));
  const own = ['content-length', length, 'x-amz-cf-id', viewer.requestId];
  response.writeHead(block.status, [...block.headers, ...own, 'x-cache', 'Error from cloudfront']);
  response.end(block.body);
}

async function serveFile(exchange: Exchange, files: StaticFiles): Promise<void> {
  const { request, behavior, path } = exchange;
  const accepted = request.headers['accept-encoding'] ?? '';
  const file = await files.find(path, accepted);
  if (file === undefined) {
    exchange.metrics.answered(404);
    return refuse(exchange, 404, behavior.response.overriding);
  }
  const headers = [...file.headers, ...behavior.response.overriding];
  const freshness = { kind: 'private' } as const;
  const answer = { status: 200, headers, etag: file.etag, body: file.body, freshness };
  answerFrom(exchange, { answer, how: 'miss', ageS: 0 });
}
