import { afterAll, beforeEach, expect, test } from 'vitest';
import { errorTable } from '#common/errors.ts';
import type { Gate } from '#common/gate.ts';
import { createHttpServer, listen } from '#common/http-server.ts';
import { shedding } from '#common/shed.ts';

let retryAfterS: number | undefined;
let handled: number;
let refused: number;
const gate = { refuse: () => retryAfterS } as unknown as Gate;
const server = createHttpServer(
  shedding(
    (request, response) => {
      handled++;
      request.resume().on('end', () => response.end('handled'));
    },
    gate,
    () => refused++,
  ),
);
const url = `http://127.0.0.1:${await listen(server, '127.0.0.1', 0)}`;
afterAll(() => {
  server.closeAllConnections();
  server.close();
});
beforeEach(() => {
  retryAfterS = undefined;
  handled = refused = 0;
});
const post = (headers: Record<string, string> = {}) =>
  fetch(url, { method: 'POST', body: 'x'.repeat(2000), headers });

test('while the gate is open requests go through', async () => {
  expect(await (await post()).text()).toBe('handled');
  expect(refused).toBe(0);
});

test('while it is shut nobody is asked, and the answer is the problem that clients know', async () => {
  retryAfterS = 7;
  const traceId = '0123456789abcdef0123456789abcdef';
  const response = await post({ traceparent: `00-${traceId}-0123456789abcdef-01` });
  expect(response.status).toBe(503);
  expect(response.headers.get('content-type')).toBe('application/problem+json');
  expect(response.headers.get('retry-after')).toBe('7');
  expect(response.headers.get('cache-control')).toBe('no-store');
  expect(response.headers.get('x-request-id')).toBe(traceId);
  expect(await response.json()).toEqual({
    type: '/problems/overloaded',
    title: errorTable.overloaded[2],
    status: 503,
    error: 'overloaded',
    message: errorTable.overloaded[2],
    request_id: traceId,
    retryable: true,
  });
  expect({ handled, refused }).toEqual({ handled: 0, refused: 1 });
});

test('a connection that was turned away serves the next request', async () => {
  retryAfterS = 1;
  await (await post()).text();
  retryAfterS = undefined;
  expect(await (await post()).text()).toBe('handled');
});
