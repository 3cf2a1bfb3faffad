import type { IncomingMessage } from 'node:http';
import { type AskSettings, askOrigins } from './ask-origin.ts';
import { refuse } from './error-page.ts';
import type { Exchange } from './exchange.ts';
import { OriginError, type OriginPool } from './origin-pool.ts';
import { readBody } from './read-body.ts';
import { passHeaders } from './response-headers.ts';
import { passStream } from './stream.ts';

/** Passes a request to its origin, and the answer back as it comes, without a cache. */
export async function forward(
  exchange: Exchange,
  pools: readonly OriginPool[],
  settings: AskSettings,
): Promise<void> {
  const body = await bodyOf(exchange);
  if (body === 'gone') return void exchange.response.destroy();
  if (body === 'too_large') return refuse(exchange, 413, ['connection', 'close']);
  const all = exchange.behavior.request.QueryStringsConfig.QueryStringBehavior === 'all';
  const target = all ? exchange.path + exchange.query : exchange.path;
  let answer: IncomingMessage;
  try {
    answer = await askOrigins(exchange, pools, target, body, settings);
  } catch (error) {
    if (!(error instanceof OriginError)) throw error;
    exchange.metrics.answered(error.status);
    return refuse(exchange, error.status, exchange.behavior.response.overriding);
  }
  passAnswer(exchange, answer);
}

async function bodyOf(exchange: Exchange): Promise<Buffer | 'too_large' | 'gone' | undefined> {
  const { method, request } = exchange;
  if (method === 'GET' || method === 'HEAD') return undefined;
  return await readBody(request);
}

function passAnswer(exchange: Exchange, answer: IncomingMessage): void {
  const { request, response, behavior, viewer, metrics } = exchange;
  const status = answer.statusCode!;
  metrics.answered(status);
  answer.on('error', () => response.destroy());
  // Covers the viewer that leaves early and the one that left while the origin was thinking.
  response.on('close', () => {
    if (!answer.complete) answer.destroy();
  });
  if (response.destroyed) return void answer.destroy();
  const cors = request.headers.origin !== undefined;
  const headers = passHeaders(answer.rawHeaders, behavior.response, cors);
  headers.push('x-cache', 'Miss from cloudfront', 'x-amz-cf-id', viewer.requestId);
  if (answer.headers['content-type']?.startsWith('text/event-stream') === true) {
    return passStream(exchange, answer, headers);
  }
  response.writeHead(status, headers);
  const length = Number(answer.headers['content-length'] ?? -1);
  let passed = 0;
  answer.on('data', (chunk: Buffer) => {
    passed += chunk.length;
    // The last chunk goes out together with the head: one write for a small answer.
    if (passed === length) response.end(chunk);
    else if (!response.write(chunk)) {
      answer.pause();
      response.once('drain', () => answer.resume());
    }
  });
  answer.on('end', () => response.end());
}
