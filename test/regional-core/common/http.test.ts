import { once } from 'node:events';
import { createServer } from 'node:http';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { ServiceError } from '#common/errors.ts';
import { createApp, readJson, viewerAddress } from '#common/http.ts';
import { listener } from '#common/http-server.ts';
import { createLog } from '#common/log.ts';

const lines: Record<string, unknown>[] = [];
const log = createLog({ service: 'test' }, 'info', {
  write: (line) => void lines.push(JSON.parse(line) as Record<string, unknown>),
});
const secrets = ['the-current-secret', 'the-next-secret'];
const app = createApp({ log, region: 'us-east-1', originSecrets: secrets });
app.use(async (context) => {
  switch (context.path) {
    case '/api/v1/echo':
      context.body = JSON.stringify(await readJson(context, 64));
      return;
    case '/api/v1/address':
      context.body = viewerAddress(context);
      return;
    case '/api/v1/unknown':
      throw new ServiceError('outcome_unknown', { retryAfterS: 2, cause: new Error('broker') });
    case '/api/v1/broken':
      throw new Error('password=geheim');
    default:
  }
});
const server = createServer(listener(app));
let url = '';
beforeAll(async () => {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  url = `http://127.0.0.1:${(server.address() as { port: number }).port}`;
});
afterAll(async () => {
  server.closeAllConnections();
  server.close();
  await once(server, 'close');
});

async function ask(path: string, options: RequestInit = {}) {
  const response = await fetch(`${url}${path}`, {
    ...options,
    headers: { 'x-origin-secret': secrets[0]!, ...(options.headers as Record<string, string>) },
  });
  return { status: response.status, headers: response.headers, text: await response.text() };
}

test('answers the edge with the current secret or the next, and nobody else', async () => {
  for (const secret of secrets) {
    const { status } = await ask('/api/v1/address', { headers: { 'x-origin-secret': secret } });
    expect(status).toBe(200);
  }
  for (const secret of ['', 'the-current-secre', 'the-current-secret2']) {
    const { status, text } = await ask('/api/v1/address', {
      headers: { 'x-origin-secret': secret },
    });
    expect(status).toBe(403);
    expect(JSON.parse(text)).toMatchObject({ error: 'origin_only', retryable: false });
  }
});

test("takes the voter's address from the edge's header alone", async () => {
  const forged = { 'x-forwarded-for': '192.0.2.1', 'x-real-ip': '192.0.2.1' };
  const said = { 'cloudfront-viewer-address': '2001:db8::7:443' };
  expect((await ask('/api/v1/address', { headers: forged })).text).toBe('unknown');
  const { text } = await ask('/api/v1/address', { headers: { ...forged, ...said } });
  expect(text).toBe('2001:db8::7');
});

test('answers with and without its own region in front, and not for another', async () => {
  expect((await ask('/r/us-east-1/api/v1/address')).status).toBe(200);
  const other = await ask('/r/us-west-2/api/v1/address');
  expect(other.status).toBe(404);
  expect(JSON.parse(other.text)).toMatchObject({ error: 'not_found' });
});

test('goes on with the trace it was given, and starts one otherwise', async () => {
  const traceparent = '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01';
  const given = await ask('/api/v1/address', { headers: { traceparent } });
  expect(given.headers.get('x-request-id')).toBe('4bf92f3577b34da6a3ce929d0e0e4736');
  for (const bad of ['', '00-zz', `00-${'0'.repeat(32)}-00f067aa0ba902b7-01`]) {
    const { headers } = await ask('/api/v1/address', { headers: { traceparent: bad } });
    expect(headers.get('x-request-id')).toMatch(/^(?!0{32})[0-9a-f]{32}$/);
  }
});

test('a body is one strict JSON object within its bound', async () => {
  const send = (body: string, headers = { 'content-type': 'application/json' }) =>
    ask('/api/v1/echo', { method: 'POST', body, headers });
  expect(await send('{"a":1}')).toMatchObject({ status: 200, text: '{"a":1}' });
  expect((await send('{"a":1,"a":2}')).status).toBe(400);
  expect((await send('x'.repeat(65))).status).toBe(413);
  expect((await send('{}', { 'content-type': 'text/plain' })).status).toBe(415);
});

test('a body that grows past its bound without saying so is cut off', async () => {
  const body = new ReadableStream({
    start(controller) {
      for (let part = 0; part < 10; part++) controller.enqueue(Buffer.from('x'.repeat(20)));
      controller.close();
    },
  });
  const options = { method: 'POST', body, duplex: 'half' } as RequestInit;
  const { status } = await ask('/api/v1/echo', {
    ...options,
    headers: { 'content-type': 'application/json' },
  });
  expect(status).toBe(413);
});

test('what breaks is told to the log, and not to the client', async () => {
  const { status, text } = await ask('/api/v1/broken');
  expect(status).toBe(500);
  expect(text).not.toContain('geheim');
  expect(JSON.parse(text)).toMatchObject({ error: 'internal_error', retryable: true });
  const line = lines.findLast(({ error }) => error === 'internal_error');
  expect(line).toMatchObject({ level: 'error', err: { message: 'password=geheim' } });
});

test('trouble that meets everybody is one line a second, not one a request', async () => {
  const before = lines.length;
  for (let request = 0; request < 20; request++) {
    const { status, headers } = await ask('/api/v1/unknown');
    expect([status, headers.get('retry-after')]).toEqual([503, '2']);
  }
  expect(lines.length - before).toBeLessThanOrEqual(2);
});
