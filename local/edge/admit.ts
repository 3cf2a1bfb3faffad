import type { Clock } from '#common/clock.ts';
import { compileAcl, type Evaluator } from '#waf/evaluate/compile.ts';
import type { Verdict, WebAcl } from '#waf/evaluate/types.ts';
import type { DistributionName } from '../../edge-config/read.ts';
import { type Behavior, type Distributions, distributionOfHost } from './distribution.ts';
import { type EdgeErrorStatus, refuse } from './error-page.ts';
import type { Exchange, Incoming } from './exchange.ts';
import type { BehaviorMetrics, EdgeMetrics } from './metrics.ts';
import { hasPlainShape, readTarget } from './request-shape.ts';

/** Decides whether a request is served; undefined when it has been answered here instead. */
export type Admit = (
  incoming: Incoming,
  host: DistributionName | undefined,
) => Exchange | undefined;

/**
 * The way in, in this order: shape → host → rules of the web ACL → behaviour → method. `host` of
 * the call fixes the distribution, whatever the Host header says.
 */
export function createAdmission(
  distributions: Distributions,
  acls: Readonly<Record<DistributionName, WebAcl>>,
  metrics: EdgeMetrics,
  clock: Clock,
): Admit {
  const { byName } = distributions;
  const evaluators: Record<DistributionName, Evaluator> = {
    vote: compileAcl(acls.vote),
    results: compileAcl(acls.results),
    portal: compileAcl(acls.portal),
  };
  const measured = new Map<Behavior, BehaviorMetrics>();
  for (const { behaviors } of Object.values(byName)) {
    for (const behavior of behaviors) measured.set(behavior, metrics.ofBehavior(behavior.id));
  }
  const unserved = metrics.ofBehavior('none');
  const turnAway = (incoming: Incoming, status: EdgeErrorStatus): undefined => {
    unserved.answered(status);
    refuse(incoming, status);
  };

  return (incoming, host) => {
    const { request, viewer } = incoming;
    const target = readTarget(request.url!);
    if (typeof target === 'number') return turnAway(incoming, target);
    if (!hasPlainShape(request)) return turnAway(incoming, 400);
    const name = host ?? distributionOfHost(request.headers.host ?? '');
    if (name === undefined) return turnAway(incoming, 403);
    const { address, requestId } = viewer;
    const verdict = evaluators[name].evaluate({ address, requestId, atMs: clock.monotonicMs() });
    if (verdict.action === 'Block') {
      metrics.blocked(name, verdict.ruleName);
      answerBlock(incoming, verdict);
      return undefined;
    }
    const distribution = byName[name];
    const behavior = distribution.behaviors.find((one) => one.matches(target.path));
    const method = request.method!;
    if (behavior === undefined || !behavior.methods.has(method)) return turnAway(incoming, 403);
    return {
      ...incoming,
      ...target,
      method,
      distribution,
      behavior,
      metrics: measured.get(behavior)!,
    };
  };
}

function answerBlock(
  { response, viewer }: Incoming,
  block: Extract<Verdict, { action: 'Block' }>,
): void {
  const length = String(Buffer.byteLength(block.body));
  const own = ['content-length', length, 'x-amz-cf-id', viewer.requestId];
  response.writeHead(block.status, [...block.headers, ...own, 'x-cache', 'Error from cloudfront']);
  response.end(block.body);
}
