import { compilePattern } from './path-pattern.ts';
import type { BehaviorData, DistributionName, EdgeConfig } from './read.ts';

/** CloudFront's quota of behaviours a distribution. */
const behaviorsMax = 75;

/** A route of the contract: where it is asked for, and the origin that must answer it. */
type Route = readonly [DistributionName, string, string, string];

/** `*` in a path stands for an id. */
const contractRoutes: readonly Route[] = [
  ['vote', 'POST', '/api/v1/votes', 'home/intake'],
  ['vote', 'GET', '/api/v1/votes/*', 'group/records'],
  ['vote', 'POST', '/api/v1/sessions/*/ballot', 'home/identity'],
  ['vote', 'POST', '/api/v1/auth/register', 'home/identity'],
  ['vote', 'POST', '/api/v1/auth/verify', 'home/identity'],
  ['vote', 'POST', '/api/v1/auth/login', 'home/identity'],
  ['vote', 'POST', '/api/v1/auth/refresh', 'home/identity'],
  ['vote', 'POST', '/api/v1/auth/logout', 'home/identity'],
  ['vote', 'GET', '/api/v1/auth/validate', 'home/identity'],
  ['vote', 'GET', '/.well-known/jwks.json', 'group/identity'],
  ['vote', 'GET', '/api/v1/sessions', 'group/identity'],
  ['vote', 'GET', '/api/v1/sessions/*', 'group/identity'],
  ['vote', 'GET', '/api/v1/results/*', 'group/results'],
  ['vote', 'GET', '/api/v1/results/*/voted', 'group/results'],
  ['vote', 'GET', '/api/v1/results/*/final/*', 'group/results'],
  ['vote', 'GET', '/api/v1/results/*/stream', 'group/results-stream'],
  ['vote', 'GET', '/api/v1/openapi.json', 'page'],
  ['results', 'GET', '/api/v1/results/*', 'group/results'],
  ['results', 'GET', '/api/v1/results/*/final/*', 'group/results'],
  ['results', 'GET', '/api/v1/results/*/stream', 'group/results-stream'],
  ['portal', 'POST', '/admin/api/v1/login', 'portal'],
  ['portal', 'POST', '/admin/api/v1/sessions', 'portal'],
];

/** Routes whose answer belongs to one person, or never ends: no cache may hold them. */
const ownDataRoutes: readonly (readonly [DistributionName, string])[] = [
  ['vote', '/api/v1/votes'],
  ['vote', '/api/v1/votes/*'],
  ['vote', '/api/v1/sessions/*/ballot'],
  ['vote', '/api/v1/auth/validate'],
  ['vote', '/api/v1/results/*/voted'],
  ['vote', '/api/v1/results/*/stream'],
  ['results', '/api/v1/results/*/voted'],
  ['results', '/api/v1/results/*/stream'],
  ['portal', '/admin/api/v1/sessions'],
];

/** GET routes with a bearer token, a proof or a cookie: these headers must reach the origin. */
const tokenRoutes: readonly (readonly [DistributionName, string])[] = [
  ['vote', '/api/v1/votes/*'],
  ['vote', '/api/v1/auth/validate'],
  ['vote', '/api/v1/results/*/voted'],
  ['portal', '/admin/api/v1/sessions'],
];

/** All that is wrong with the data, a sentence each; none when it may be deployed. */
export function checkEdgeConfig(config: EdgeConfig, regions: number): readonly string[] {
  const faults: string[] = [];
  for (const [name, { Behaviors }] of Object.entries(config.Distributions)) {
    const count = Behaviors.reduce((sum, one) => sum + (one.RegionPinned ? 1 + regions : 1), 0);
    if (count > behaviorsMax) faults.push(`${name}: ${count} behaviours, ${behaviorsMax} at most`);
    const last = Behaviors.at(-1)!;
    if (last.PathPattern !== '*') faults.push(`${name}: the last must be "*"`);
    // Or a service would answer at addresses that nobody thought of.
    const files = config.Origins[last.TargetOriginId];
    if (!files || !('Directory' in files)) faults.push(`${name}: "*" must serve files`);
    for (const one of Behaviors) {
      faults.push(
        ...checkBehavior(config, one).map((fault) => `${name} ${one.PathPattern}: ${fault}`),
      );
    }
  }
  return [...faults, ...checkRoutes(config)];
}

function checkBehavior(config: EdgeConfig, behavior: BehaviorData): string[] {
  const faults: string[] = [];
  const missing = (table: object, key: string): boolean => !Object.hasOwn(table, key);
  if (missing(config.CachePolicies, behavior.CachePolicy)) faults.push('no such CachePolicy');
  if (missing(config.OriginRequestPolicies, behavior.OriginRequestPolicy)) {
    faults.push('no such OriginRequestPolicy');
  }
  if (missing(config.ResponseHeadersPolicies, behavior.ResponseHeadersPolicy)) {
    faults.push('no such ResponseHeadersPolicy');
  }
  const originName = behavior.TargetOriginId.split('/').at(-1)!;
  if (missing(config.Origins, originName)) faults.push('no such origin');
  const allowed = [...behavior.AllowedMethods].toSorted().join();
  if (!methodSets.has(allowed)) faults.push('CloudFront has no such set of methods');
  const takesPost = behavior.AllowedMethods.includes('POST');
  if (takesPost && behavior.TargetOriginId.startsWith('group/')) {
    faults.push('CloudFront refuses POST with an origin group');
  }
  const cache = config.CachePolicies[behavior.CachePolicy];
  if (takesPost && cache?.MaxTTL !== 0)
    faults.push('a behaviour that takes POST must not be cached');
  return faults;
}

/** The three sets that CloudFront offers, sorted. */
const methodSets = new Set([
  'GET,HEAD',
  'GET,HEAD,OPTIONS',
  'DELETE,GET,HEAD,OPTIONS,PATCH,POST,PUT',
]);

function checkRoutes(config: EdgeConfig): string[] {
  const faults: string[] = [];
  for (const [host, method, route, origin] of contractRoutes) {
    const found = behaviorOf(config, host, route);
    const answers = found?.TargetOriginId === origin;
    const takes = (found?.AllowedMethods as readonly string[] | undefined)?.includes(method);
    if (!answers || takes !== true) faults.push(`${host} ${method} ${route} must reach ${origin}`);
  }
  for (const [host, route] of ownDataRoutes) {
    const policy = config.CachePolicies[behaviorOf(config, host, route)?.CachePolicy ?? ''];
    if (policy?.MaxTTL !== 0) faults.push(`${host} ${route} is own data and must not be cached`);
  }
  for (const [host, route] of tokenRoutes) {
    const name = behaviorOf(config, host, route)?.OriginRequestPolicy ?? '';
    const headers = config.OriginRequestPolicies[name]?.HeadersConfig.HeaderBehavior;
    if (headers !== 'allViewerAndWhitelistCloudFront') {
      faults.push(`${host} ${route} needs Authorization, which ${name} drops on GET`);
    }
  }
  return faults;
}

/** The behaviour that CloudFront takes for an address: the first that matches. */
function behaviorOf(
  config: EdgeConfig,
  host: DistributionName,
  route: string,
): BehaviorData | undefined {
  const path = route.replaceAll('*', '0193b4c0');
  return config.Distributions[host].Behaviors.find((one) => compilePattern(one.PathPattern)(path));
}
