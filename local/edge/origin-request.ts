import { randomUUID } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import { traceparentPattern } from '#common/trace.ts';
import type { OriginRequestPolicy } from '../../edge-config/read.ts';

/** What the edge itself knows of a request. */
export interface Viewer {
  /** Unique for the request: `x-amz-cf-id` towards the viewer and the origin. */
  readonly requestId: string;
  readonly address: string;
  readonly port: number;
}

/** Never passed on from a viewer: about one connection, set here, or trusted by an origin. */
const dropped = new Set([
  'accept-encoding',
  'connection',
  'content-length',
  'expect',
  'forwarded',
  'host',
  'http2-settings',
  'keep-alive',
  'proxy-authorization',
  'proxy-connection',
  'te',
  'traceparent',
  'trailer',
  'transfer-encoding',
  'upgrade',
  'via',
  'x-amz-cf-id',
  'x-origin-secret',
  'x-real-ip',
]);

const trustedPrefixes = ['cloudfront-', 'x-forwarded-', 'x-amzn-', 'x-edge-'] as const;

function isTrusted(name: string): boolean {
  return trustedPrefixes.some((prefix) => name.startsWith(prefix));
}

/**
 * The headers that go to the origin, flat: what the policy lets through of the viewer's, then ours.
 * `originHost` is sent as Host where the policy does not pass the viewer's.
 */
export function originHeaders(
  request: IncomingMessage,
  policy: OriginRequestPolicy,
  viewer: Viewer,
  originSecret: string,
  originHost: string,
): string[] {
  const all = policy.HeadersConfig.HeaderBehavior === 'allViewerAndWhitelistCloudFront';
  const listed = policy.HeadersConfig.Headers;
  const cookies = policy.CookiesConfig.CookieBehavior === 'all';
  const headers = ['host', all ? (request.headers.host ?? originHost) : originHost];
  const { rawHeaders } = request;
  for (let at = 0; at < rawHeaders.length; at += 2) {
    const name = rawHeaders[at]!.toLowerCase();
    const passes = all || listed.some((one) => one.toLowerCase() === name);
    if (!passes || dropped.has(name) || isTrusted(name)) continue;
    if (name === 'cookie' && !cookies) continue;
    headers.push(name, rawHeaders[at + 1]!);
  }
  if (listed.includes('CloudFront-Viewer-Address')) {
    headers.push('CloudFront-Viewer-Address', `${viewer.address}:${viewer.port}`);
  }
  const given = request.headers['traceparent'];
  const trace = typeof given === 'string' && traceparentPattern.test(given) ? given : newTrace();
  headers.push('traceparent', trace);
  headers.push('x-amz-cf-id', viewer.requestId, 'x-origin-secret', originSecret);
  return headers;
}

/** UUIDs come from a pool of random bytes; asking the kernel for each costs 6 µs a request. */
function newTrace(): string {
  const hex = (randomUUID() + randomUUID()).replaceAll('-', '');
  return `00-${hex.slice(0, 32)}-${hex.slice(32, 48)}-00`;
}
