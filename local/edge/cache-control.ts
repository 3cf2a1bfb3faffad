import type { CachePolicy } from '../../edge-config/read.ts';

/** How long an answer may be used, in seconds; `private`: it belongs to the viewer that asked. */
export type Freshness =
  | { readonly kind: 'private' }
  | {
      readonly kind: 'shared';
      readonly freshS: number;
      /** After that: used while a newer one is fetched in the background. */
      readonly staleS: number;
      /** After that: used when the origin cannot answer. */
      readonly errorS: number;
    };

/**
 * Judges an answer by its Cache-Control and the behaviour's policy, as CloudFront does, but for one
 * point: an answer that sets a cookie is never shared here.
 */
export function freshnessOf(
  status: number,
  cacheControl: string,
  setsCookie: boolean,
  policy: CachePolicy,
  errorCachingS: number,
): Freshness {
  if (status >= 400) return { kind: 'shared', freshS: errorCachingS, staleS: 0, errorS: 0 };
  const directives = parse(cacheControl);
  const isPrivate = ['private', 'no-store', 'no-cache'].some((name) => directives.has(name));
  if (setsCookie || isPrivate) return { kind: 'private' };
  const capped = (seconds: number): number => Math.min(seconds, policy.MaxTTL);
  const age = directives.get('s-maxage') ?? directives.get('max-age') ?? policy.DefaultTTL;
  const freshS = Math.max(policy.MinTTL, capped(age));
  const mustAsk = directives.has('must-revalidate') || directives.has('proxy-revalidate');
  if (mustAsk) return { kind: 'shared', freshS, staleS: 0, errorS: 0 };
  return {
    kind: 'shared',
    freshS,
    staleS: capped(directives.get('stale-while-revalidate') ?? 0),
    // Without the directive CloudFront uses what it has for as long as it has it.
    errorS: capped(directives.get('stale-if-error') ?? policy.MaxTTL),
  };
}

function parse(cacheControl: string): Map<string, number> {
  const directives = new Map<string, number>();
  for (const part of cacheControl.toLowerCase().split(',')) {
    const [name = '', value = ''] = part.trim().split('=');
    const seconds = Number(value.replaceAll('"', ''));
    directives.set(name, Number.isFinite(seconds) && seconds >= 0 ? seconds : 0);
  }
  return directives;
}
