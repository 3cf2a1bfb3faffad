import type { IncomingMessage } from 'node:http';
import { type AskSettings, askOrigins } from './ask-origin.ts';
import type { Cache, Served, WholeAnswer } from './cache.ts';
import { freshnessOf } from './cache-control.ts';
import { errorPage } from './error-page.ts';
import type { Exchange } from './exchange.ts';
import { OriginError, type OriginPool } from './origin-pool.ts';
import { passHeaders } from './response-headers.ts';

/** The largest answer of a cacheable address; ours are some kilobytes. */
const answerBytesMax = 4 * 1024 * 1024;

/** Answers a GET or HEAD of a cacheable behaviour from the cache, or through it from the origin. */
export async function serveCached(
  exchange: Exchange,
  pools: readonly OriginPool[],
  cache: Cache,
  settings: AskSettings,
): Promise<void> {
  const { behavior, distribution, path } = exchange;
  const inKey = behavior.cache.QueryStringsConfig.QueryStringBehavior === 'all';
  const target = inKey ? path + exchange.query : path;
  const key = `${distribution.name} ${target}`;
  const served = await cache.serve(key, () => fetchWhole(exchange, pools, target, settings));
  exchange.metrics.cached(served.how);
  answerFrom(exchange, served);
}

/** Answers from memory: an entry of the cache, a file. */
export function answerFrom(exchange: Exchange, { answer, how, ageS }: Served): void {
  const { request, response, method, behavior, viewer, metrics } = exchange;
  const isKnown = answer.etag !== undefined && request.headers['if-none-match'] === answer.etag;
  const status = isKnown && answer.status === 200 ? 304 : answer.status;
  const result = status >= 400 ? 'Error' : { hit: 'Hit', stale: 'RefreshHit', miss: 'Miss' }[how];
  const headers = [...answer.headers, 'x-cache', `${result} from cloudfront`];
  headers.push('x-amz-cf-id', viewer.requestId);
  if (how !== 'miss') headers.push('age', String(ageS));
  if (request.headers.origin !== undefined) headers.push(...behavior.response.cors);
  if (status !== 304) headers.push('content-length', String(answer.body.length));
  metrics.answered(status);
  response.writeHead(status, headers);
  response.end(status === 304 || method === 'HEAD' ? undefined : answer.body);
}

/** A HEAD is asked as a GET, because the answer is kept for both. */
async function fetchWhole(
  exchange: Exchange,
  pools: readonly OriginPool[],
  target: string,
  settings: AskSettings,
): Promise<WholeAnswer> {
  const { behavior, distribution, viewer } = exchange;
  try {
    const asked = { ...exchange, method: 'GET' };
    const answer = await askOrigins(asked, pools, target, undefined, settings);
    const body = await readWhole(answer);
    const status = answer.statusCode!;
    const freshness = freshnessOf(
      status,
      answer.headers['cache-control'] ?? '',
      answer.headers['set-cookie'] !== undefined,
      behavior.cache,
      distribution.errorCachingS,
    );
    const passed = passHeaders(answer.rawHeaders, behavior.response, false);
    const headers = without(passed, 'content-length');
    return { status, headers, etag: answer.headers.etag, body, freshness };
  } catch (error) {
    if (!(error instanceof OriginError)) throw error;
    const { status, headers, body } = errorPage(error.status, viewer.requestId);
    const policy = behavior.response.overriding;
    const freshS = distribution.errorCachingS;
    const freshness = { kind: 'shared', freshS, staleS: 0, errorS: 0 } as const;
    return { status, headers: [...headers, ...policy], etag: undefined, body, freshness };
  }
}

function readWhole(answer: IncomingMessage): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let bytes = 0;
    answer.on('data', (chunk: Buffer) => {
      bytes += chunk.length;
      if (bytes <= answerBytesMax) chunks.push(chunk);
      else answer.destroy(new OriginError('too_large'));
    });
    answer.on('end', () => resolve(Buffer.concat(chunks)));
    answer.on('error', (error) => reject(asOriginError(error)));
    answer.on('close', () => reject(new OriginError('broken')));
  });
}

function asOriginError(error: Error): OriginError {
  return error instanceof OriginError ? error : new OriginError('broken', error);
}

function without(headers: readonly string[], name: string): string[] {
  const kept: string[] = [];
  for (let at = 0; at < headers.length; at += 2) {
    if (headers[at] !== name) kept.push(headers[at]!, headers[at + 1]!);
  }
  return kept;
}
