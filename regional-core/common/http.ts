import { hash, timingSafeEqual } from 'node:crypto';
import Koa, { type Context, type Middleware } from 'koa';
import { ServiceError } from './errors.ts';
import type { Log } from './log.ts';
import { type JsonObject, parseStrictObject } from './strict-json.ts';
import { requestTrace } from './trace.ts';

/** What our middleware puts on every request. */
export interface RequestState {
  /** W3C trace id, 32 hex digits; also `request_id` in errors and `x-request-id` in answers. */
  traceId: string;
  /** Set when the answer is an error: its code, the label of metrics. */
  errorCode?: string;
}

export interface AppOptions {
  readonly log: Log;
  /**
   * Region whose `/r/{region}` prefix this service answers; absent for services without regions.
   */
  readonly region?: string;
  /** What the edge sends in `x-origin-secret`: the current secret and the next one. */
  readonly originSecrets: readonly string[];
  /** Called once per answered request, for metrics. */
  readonly observe?: (context: Context, seconds: number) => void;
}

/**
 * A Koa application with what every public service does first, in this order: trace id → errors as
 * problem+json → the edge only → region prefix. The caller adds its routes after it.
 */
export function createApp(options: AppOptions): Koa<RequestState> {
  const app = new Koa<RequestState>();
  app.use(traceAndObserve(options.observe));
  app.use(answerErrors(options.log));
  app.use(edgeOnly(options.originSecrets));
  if (options.region !== undefined) app.use(takeRegionPrefix(options.region));
  // answerErrors has dealt with every error of a handler; what is left is a broken connection.
  app.on('error', (error: Error) => options.log.debug({ err: error }, 'connection error'));
  return app;
}

function traceAndObserve(observe: AppOptions['observe']): Middleware<RequestState> {
  return async (context, next) => {
    const startedMs = performance.now();
    context.state.traceId = requestTrace(context.get('traceparent'));
    context.set('x-request-id', context.state.traceId);
    await next();
    observe?.(context, (performance.now() - startedMs) / 1000);
  };
}

/** Turns every error into problem+json (RFC 9457): clients get the code, the log gets the cause. */
function answerErrors(log: Log): Middleware<RequestState> {
  const troubles = new TroubleLog(log);
  return async (context, next) => {
    try {
      await next();
      if (context.status === 404 && context.body === undefined) throw new ServiceError('not_found');
    } catch (error) {
      const known = error instanceof ServiceError;
      const refusal = known ? error : new ServiceError('internal_error', { cause: error });
      if (refusal.status >= 500) troubles.add(refusal, context.state.traceId);
      answerProblem(context, refusal);
    }
  };
}

/**
 * One line a second and code, with the number of those left out: a broker that is away must not
 * become a line for every vote. The metrics count them all.
 */
class TroubleLog {
  readonly #log: Log;
  readonly #seen = new Map<string, { sinceMs: number; unsaid: number }>();

  constructor(log: Log) {
    this.#log = log;
  }

  add(error: ServiceError, traceId: string): void {
    const nowMs = performance.now();
    const seen = this.#seen.get(error.code);
    if (seen !== undefined && nowMs - seen.sinceMs < 1000) {
      seen.unsaid++;
      return;
    }
    const line = {
      trace_id: traceId,
      error: error.code,
      err: error.cause,
      unsaid: seen?.unsaid ?? 0,
    };
    this.#log[error.code === 'internal_error' ? 'error' : 'warn'](line, error.message);
    this.#seen.set(error.code, { sinceMs: nowMs, unsaid: 0 });
  }
}

/** Writes the problem document of an error. Exported for answers made outside the middleware. */
export function answerProblem(context: Context, error: ServiceError): void {
  context.status = error.status;
  context.state['errorCode'] = error.code;
  if (error.retryAfterS !== undefined) context.set('retry-after', String(error.retryAfterS));
  if (error.status === 429) setRateLimit(context, error.retryAfterS ?? 1);
  context.set('cache-control', 'no-store');
  context.body = JSON.stringify({
    type: `/problems/${error.code}`,
    title: error.message,
    status: error.status,
    error: error.code,
    message: error.message,
    request_id: context.state['traceId'],
    retryable: error.retryable,
    ...(error.status === 429 ? { retry_after: error.retryAfterS } : {}),
    ...error.members,
  });
  context.type = 'application/problem+json';
}

/**
 * draft-ietf-httpapi-ratelimit-headers: nothing is left (`r`) until so many seconds (`t`) have
 * passed; and the fields of its earlier versions, which clients know better.
 */
function setRateLimit(context: Context, seconds: number): void {
  context.set('ratelimit', `"default";r=0;t=${seconds}`);
  context.set('ratelimit-remaining', '0');
  context.set('ratelimit-reset', String(seconds));
}

/** The origin answers only the edge. Comparing digests takes the same time for every guess. */
function edgeOnly(secrets: readonly string[]): Middleware<RequestState> {
  const digests = secrets.map(sha256);
  return (context, next) => {
    const given = sha256(context.get('x-origin-secret'));
    let known = false;
    for (const digest of digests) if (timingSafeEqual(given, digest)) known = true;
    if (!known) throw new ServiceError('origin_only');
    return next();
  };
}

function sha256(text: string): Buffer {
  return hash('sha256', text, 'buffer');
}

/** Reads the file of origin secrets: one or two lines, current first. */
export function parseOriginSecrets(content: string): readonly string[] {
  const secrets = content.split('\n').map((line) => line.trim());
  if (secrets.length > 2 || secrets.some((secret) => secret.length < 16)) {
    throw new Error('must hold one or two lines of at least 16 characters');
  }
  return secrets;
}

/** `/r/{region}/api/v1/…` and `/api/v1/…` are the same address here. */
function takeRegionPrefix(region: string): Middleware<RequestState> {
  const prefix = `/r/${region}/`;
  return (context, next) => {
    if (context.path.startsWith(prefix)) context.path = context.path.slice(prefix.length - 1);
    return next();
  };
}

/**
 * The voter's address: only from the edge's own header (`ip:port`, CloudFront-Viewer-Address),
 * never from X-Forwarded-For or a body. `unknown` when the edge did not say, which shares one
 * bucket.
 */
export function viewerAddress(context: Context): string {
  const text = context.get('cloudfront-viewer-address');
  const colon = text.lastIndexOf(':');
  return colon > 0 ? text.slice(0, colon) : 'unknown';
}

/** `Authorization: Bearer …`; throws `invalid_token` when there is none. */
export function bearerToken(context: Context): string {
  const header = context.get('authorization');
  if (!header.startsWith('Bearer ') || header.length < 8) throw new ServiceError('invalid_token');
  return header.slice('Bearer '.length);
}

/**
 * The request's JSON object. Throws `unsupported_media_type`, `body_too_large` (more than
 * `bytesMax`; the connection is then closed) or `invalid_request`.
 */
export async function readJson(context: Context, bytesMax: number): Promise<JsonObject> {
  const type = context.get('content-type').split(';')[0]!.trim().toLowerCase();
  if (type !== 'application/json' || context.get('content-encoding') !== '') {
    throw new ServiceError('unsupported_media_type');
  }
  const body = await readBody(context, bytesMax);
  const value = parseStrictObject(body.toString('utf8'));
  if (value === undefined) throw new ServiceError('invalid_request');
  return value;
}

function readBody(context: Context, bytesMax: number): Promise<Buffer> {
  const { req } = context;
  const tooLarge = (): ServiceError => {
    context.set('connection', 'close');
    return new ServiceError('body_too_large');
  };
  if (Number(context.get('content-length') || 0) > bytesMax) return Promise.reject(tooLarge());
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let bytes = 0;
    req.on('data', (chunk: Buffer) => {
      bytes += chunk.length;
      if (bytes > bytesMax) {
        req.removeAllListeners('data');
        reject(tooLarge());
      } else {
        chunks.push(chunk);
      }
    });
    req.on('end', () => resolve(chunks.length === 1 ? chunks[0]! : Buffer.concat(chunks)));
    req.on('error', (error) => reject(new ServiceError('invalid_request', { cause: error })));
  });
}
