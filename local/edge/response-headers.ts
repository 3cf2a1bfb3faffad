import type { ResponseHeadersPolicy } from '../../edge-config/read.ts';

/** What a response headers policy adds, compiled: lower-case names. */
export interface ResponseHeaders {
  /** Flat name, value, …: sent whatever the origin sent. */
  readonly overriding: readonly string[];
  /** The names of `overriding`: taken off what the origin sent. */
  readonly replaced: ReadonlySet<string>;
  /** Sent where the origin sent no such header. */
  readonly added: readonly (readonly [string, string])[];
  /** Sent only to a request that has an Origin header, as CloudFront does. */
  readonly cors: readonly string[];
}

/** `${results_origin}` in a value becomes the results host's address. */
export function compileResponseHeaders(
  policy: ResponseHeadersPolicy,
  resultsOrigin: string,
): ResponseHeaders {
  const items = [...securityHeaders(policy), ...policy.CustomHeadersConfig.Items];
  const overriding = items.filter((item) => item.Override);
  const cors =
    policy.CorsConfig === undefined
      ? []
      : ['access-control-allow-origin', policy.CorsConfig.AccessControlAllowOrigins[0]];
  return {
    overriding: overriding.flatMap((item) => pairOf(item, resultsOrigin)),
    replaced: new Set([
      ...overriding.map((item) => item.Header.toLowerCase()),
      ...(cors.length > 0 ? ['access-control-allow-origin'] : []),
    ]),
    added: items.filter((item) => !item.Override).map((item) => pairOf(item, resultsOrigin)),
    cors,
  };
}

type Item = ResponseHeadersPolicy['CustomHeadersConfig']['Items'][number];

function pairOf(item: Item, resultsOrigin: string): [string, string] {
  return [item.Header.toLowerCase(), item.Value.replaceAll('${results_origin}', resultsOrigin)];
}

function securityHeaders({ SecurityHeadersConfig: config }: ResponseHeadersPolicy): Item[] {
  const { StrictTransportSecurity: hsts, ContentTypeOptions: sniff } = config;
  const { FrameOptions: frame, ReferrerPolicy: referrer } = config;
  const { ContentSecurityPolicy: csp } = config;
  const items: Item[] = [];
  const add = (Header: string, Value: string, { Override }: { Override: boolean }): void => {
    items.push({ Header, Value, Override });
  };
  if (hsts !== undefined) {
    const subdomains = hsts.IncludeSubdomains ? '; includeSubDomains' : '';
    const preload = hsts.Preload ? '; preload' : '';
    const value = `max-age=${hsts.AccessControlMaxAgeSec}${subdomains}${preload}`;
    add('Strict-Transport-Security', value, hsts);
  }
  if (sniff !== undefined) add('X-Content-Type-Options', 'nosniff', sniff);
  if (frame !== undefined) add('X-Frame-Options', frame.FrameOption, frame);
  if (referrer !== undefined) add('Referrer-Policy', referrer.ReferrerPolicy, referrer);
  if (csp !== undefined) add('Content-Security-Policy', csp.ContentSecurityPolicy, csp);
  return items;
}

/** RFC 9110 section 7.6.1: these concern one connection; and Connection may name more. */
const hopByHop = new Set([
  'connection',
  'keep-alive',
  'proxy-authenticate',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
]);

/** An origin's headers as they go on: flat, without what concerns its connection, with ours. */
export function passHeaders(
  fromOrigin: readonly string[],
  policy: ResponseHeaders,
  cors: boolean,
): string[] {
  const headers: string[] = [];
  const seen = new Set<string>();
  for (let at = 0; at < fromOrigin.length; at += 2) {
    const name = fromOrigin[at]!.toLowerCase();
    if (hopByHop.has(name) || policy.replaced.has(name)) continue;
    seen.add(name);
    headers.push(name, fromOrigin[at + 1]!);
  }
  headers.push(...policy.overriding);
  for (const [name, value] of policy.added) if (!seen.has(name)) headers.push(name, value);
  if (cors) headers.push(...policy.cors);
  return headers;
}
