import type { RequestListener, ServerResponse } from 'node:http';
import { errorTable } from './errors.ts';
import type { Gate } from './gate.ts';
import { requestTrace } from './trace.ts';

const [status, retryable, message] = errorTable.overloaded;

/**
 * Turns requests away while the gate is shut, ahead of everything else: neither body nor ballot is
 * read, so that a refusal costs a small part of a vote.
 *
 * @param onRefused called with the time it took, seconds
 */
export function shedding(
  handle: RequestListener,
  gate: Gate,
  onRefused: (seconds: number) => void,
): RequestListener {
  return (request, response) => {
    const startedMs = performance.now();
    const retryAfterS = gate.refuse();
    if (retryAfterS === undefined) return handle(request, response);
    refuse(response, requestTrace(String(request.headers['traceparent'] ?? '')), retryAfterS);
    onRefused((performance.now() - startedMs) / 1000);
  };
}

/** The same problem document that the rest of the service writes. */
function refuse(response: ServerResponse, traceId: string, retryAfterS: number): void {
  const body = JSON.stringify({
    type: '/problems/overloaded',
    title: message,
    status,
    error: 'overloaded',
    message,
    request_id: traceId,
    retryable,
  });
  response.writeHead(status, {
    'content-type': 'application/problem+json',
    'content-length': Buffer.byteLength(body),
    'cache-control': 'no-store',
    'retry-after': String(retryAfterS),
    'x-request-id': traceId,
  });
  response.end(body);
}
