import { compilePattern } from '../../edge-config/path-pattern.ts';
import type {
  BehaviorData,
  CachePolicy,
  DistributionName,
  EdgeConfig,
  OriginRequestPolicy,
} from '../../edge-config/read.ts';
import type { EdgeOrigins } from './config.ts';
import { OriginPool } from './origin-pool.ts';
import { compileResponseHeaders, type ResponseHeaders } from './response-headers.ts';
import { StaticFiles } from './static-files.ts';

/** A behaviour ready to serve: what it matches, and what is done with a request that matches. */
export interface Behavior {
  /** Host and pattern, the label of its metrics. */
  readonly id: string;
  readonly matches: (path: string) => boolean;
  readonly methods: ReadonlySet<string>;
  readonly cache: CachePolicy;
  readonly request: OriginRequestPolicy;
  readonly response: ResponseHeaders;
  /** Origins in the order they are asked (the second only on GET), or files. */
  readonly target: readonly OriginPool[] | StaticFiles;
}

export interface Distribution {
  readonly name: DistributionName;
  readonly behaviors: readonly Behavior[];
  readonly errorCachingS: number;
}

export interface Distributions {
  readonly byName: Readonly<Record<DistributionName, Distribution>>;
  readonly pools: readonly OriginPool[];
  readonly failoverStatuses: ReadonlySet<number>;
}

/**
 * Compiles the data once, at start. `resultsOrigin` takes the place of `${results_origin}` in
 * header values; `root` is the folder that the origins' directories are under. Throws on a name
 * that is not there (`edge-config/check.ts` says the same before a deploy).
 */
export function compileDistributions(
  config: EdgeConfig,
  origins: EdgeOrigins,
  resultsOrigin: string,
  root: URL,
): Distributions {
  const pools = new Map<string, OriginPool>();
  const poolOf = (region: string, originName: string): OriginPool => {
    const id = `${region}/${originName}`;
    const known = pools.get(id);
    if (known !== undefined) return known;
    const settings = need(config.Origins, originName);
    if (!('Service' in settings)) throw new Error(`origin ${originName} is in no region`);
    const services = origins.regions.find(({ name }) => name === region)?.services;
    const url = settings.Service === 'portal' ? origins.portal : services?.[settings.Service];
    if (url === undefined) throw new Error(`region ${region} has no ${settings.Service}`);
    const pool = new OriginPool(id, url, settings);
    pools.set(id, pool);
    return pool;
  };
  const regionNames = origins.regions.map(({ name }) => name);
  const compile = (host: DistributionName, data: BehaviorData, pin?: string): Behavior => {
    const pattern = pin === undefined ? data.PathPattern : `/r/${pin}${data.PathPattern}`;
    return {
      id: `${host} ${pattern}`,
      matches: compilePattern(pattern),
      methods: new Set(data.AllowedMethods),
      cache: need(config.CachePolicies, data.CachePolicy),
      request: need(config.OriginRequestPolicies, data.OriginRequestPolicy),
      response: compileResponseHeaders(
        need(config.ResponseHeadersPolicies, data.ResponseHeadersPolicy),
        resultsOrigin,
      ),
      target: targetOf(data.TargetOriginId, pin),
    };
  };
  const targetOf = (id: string, pin: string | undefined): Behavior['target'] => {
    const [kind, originName] = id.includes('/') ? id.split('/') : ['', id];
    const settings = need(config.Origins, originName!);
    if ('Directory' in settings) return new StaticFiles(root, settings);
    if (kind === '') return [poolOf('portal', originName!)];
    // An origin group has two members at most, and takes no POST.
    const regions = kind === 'group' ? regionNames.slice(0, 2) : regionNames.slice(0, 1);
    return (pin === undefined ? regions : [pin]).map((region) => poolOf(region, originName!));
  };
  const distribution = (name: DistributionName): Distribution => {
    const { Behaviors, ErrorCachingMinTTL } = config.Distributions[name];
    const pinned = Behaviors.filter((data) => data.RegionPinned);
    const behaviors = [
      ...regionNames.flatMap((region) => pinned.map((data) => compile(name, data, region))),
      ...Behaviors.map((data) => compile(name, data)),
    ];
    return { name, behaviors, errorCachingS: ErrorCachingMinTTL };
  };
  const byName = {
    vote: distribution('vote'),
    results: distribution('results'),
    portal: distribution('portal'),
  };
  const failoverStatuses = new Set<number>(config.OriginGroups.FailoverCriteria.StatusCodes);
  return { byName, pools: [...pools.values()], failoverStatuses };
}

/** The distribution that a Host header names; undefined for a name that is none of ours. */
export function distributionOfHost(host: string): DistributionName | undefined {
  const name = host.replace(/:\d+$/, '').toLowerCase();
  if (name === 'localhost' || name === '127.0.0.1' || name === '[::1]') return 'vote';
  if (name === 'results.localhost') return 'results';
  return name === 'portal.localhost' ? 'portal' : undefined;
}

function need<T>(table: Readonly<Record<string, T>>, name: string): T {
  const found = table[name];
  if (found === undefined) throw new Error(`edge-config names "${name}", which is not there`);
  return found;
}
