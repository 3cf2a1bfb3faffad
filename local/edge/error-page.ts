import { jitteredRetryS } from '#common/errors.ts';
import type { Incoming } from './exchange.ts';

/** What CloudFront says in each case, as a page: its errors are not in our JSON shape. */
const reasons = {
  400: 'Bad request. The edge cannot read this request.',
  403: 'Request blocked. This host name, method or address is not served here.',
  404: 'Not found. There is nothing at this address.',
  413: 'Request too large.',
  414: 'Request address too long.',
  502: 'The edge could not reach the origin, or the origin ended the connection.',
  503: 'The edge has too many requests under way. Try again in a moment.',
  504: 'The origin did not answer in time.',
} as const;

/** Those turned away together come back within twice this, not all at once. */
const retryS = 2;

export type EdgeErrorStatus = keyof typeof reasons;

/** The page as headers (flat, without the policy's) and body. */
export function errorPage(
  status: EdgeErrorStatus,
  requestId: string,
): { status: number; headers: string[]; body: Buffer } {
  const title = `<title>${status}</title>`;
  const text = `<h1>${status}</h1><p>${reasons[status]}</p><p>Request ID: ${requestId}</p>`;
  const body = Buffer.from(`<!doctype html><html lang="en">${title}${text}</html>\n`);
  const headers = ['content-type', 'text/html; charset=utf-8', 'cache-control', 'no-store'];
  if (status === 503) headers.push('retry-after', String(jitteredRetryS(retryS, Math.random)));
  return { status, headers, body };
}

/** Answers with an error of the edge itself. Too late for a response that has begun: it is cut. */
export function refuse(
  { response, viewer }: Incoming,
  status: EdgeErrorStatus,
  extraHeaders: readonly string[] = [],
): void {
  if (response.headersSent) {
    response.destroy();
    return;
  }
  const page = errorPage(status, viewer.requestId);
  page.headers.push('content-length', String(page.body.length));
  page.headers.push('x-cache', 'Error from cloudfront', 'x-amz-cf-id', viewer.requestId);
  response.writeHead(status, [...page.headers, ...extraHeaders]);
  response.end(page.body);
}
