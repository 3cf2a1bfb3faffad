import { connect } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ask, countOf, type EdgeUnderTest, startEdge } from './edge-under-test.ts';

let edge: EdgeUnderTest;
beforeEach(async () => {
  edge = await startEdge({ rateLimit: 50 });
  edge.home.answer = (_asked, _request, response) => response.end('home');
  edge.portal.answer = (_asked, _request, response) => response.end('portal');
});
afterEach(() => edge.close());

const admin = '/admin/api/v1/sessions';

describe('a host name', () => {
  it('chooses the distribution', async () => {
    const portal = { headers: { host: 'portal.localhost:8080' } };
    expect((await ask(edge.port, admin, portal)).body).toBe('portal');
    expect((await ask(edge.port, '/api/v1/votes/v1', portal)).status).toBe(404);
    expect((await ask(edge.port, admin)).status).toBe(404);
    const results = { headers: { host: 'results.localhost' } };
    expect((await ask(edge.port, '/api/v1/results/s1', results)).body).toBe('home');
    expect((await ask(edge.port, '/internal/v1/anything', results)).status).toBe(404);
    const post = { ...results, method: 'POST', body: '{}' };
    expect((await ask(edge.port, '/api/v1/votes', post)).status).toBe(403);
  });

  it('does not matter on the listener of the portal', async () => {
    expect((await ask(edge.portalPort, admin)).body).toBe('portal');
    expect((await ask(edge.portalPort, '/api/v1/votes/v1')).status).toBe(404);
  });

  it('that is none of ours is refused, so that no other page speaks to this machine', async () => {
    for (const host of ['evil.example', 'localhost.evil.example', 'xlocalhost']) {
      expect((await ask(edge.port, '/api/v1/votes/v1', { headers: { host } })).status).toBe(403);
    }
    expect(edge.home.asked).toEqual([]);
  });
});

describe('a request that could be read in two ways', () => {
  it('is refused before anything is asked', async () => {
    for (const path of [
      '/api/v1/results/../votes/v1',
      '/api/v1/results/%2e%2e/votes/v1',
      '/api/v1/results/a%2fvoted',
      '/api/v1/results\\s1',
      '//evil.example/api/v1/votes/v1',
      'http://localhost/api/v1/votes/v1',
    ]) {
      expect([path, (await ask(edge.port, path)).status]).toEqual([path, 400]);
    }
    const body = { body: 'x', headers: { 'content-length': '1' } };
    expect((await ask(edge.port, '/api/v1/results/s1', body)).status).toBe(400);
    const long = await ask(edge.port, `/${'x'.repeat(8192)}`);
    expect([414, 431]).toContain(long.status);
    expect(edge.home.asked).toEqual([]);
  });

  it('is refused when its length is told twice', async () => {
    const socket = connect(edge.port, '127.0.0.1');
    const smuggled = 'GET /smuggled HTTP/1.1\r\nHost: localhost\r\n\r\n';
    socket.write(
      'POST /api/v1/votes HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5\r\n' +
        `Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n${smuggled}`,
    );
    const chunks: Buffer[] = [];
    for await (const chunk of socket) chunks.push(chunk as Buffer);
    expect(Buffer.concat(chunks).toString()).toMatch(/^HTTP\/1\.1 400 /);
    expect(edge.home.asked).toEqual([]);
  });
});

describe('the rate rule', () => {
  it('blocks an address above its limit with our own JSON, and no other address', async () => {
    const answers = [];
    for (let at = 0; at < 51; at++) {
      const options = { method: 'POST', body: '{}', from: '127.0.0.7' };
      answers.push(await ask(edge.port, '/api/v1/votes', options));
    }
    expect(answers.slice(0, 50).every(({ status }) => status === 200)).toBe(true);
    const blocked = answers[50]!;
    expect(blocked.status).toBe(429);
    expect(blocked.headers).toMatchObject({
      'content-type': 'application/json',
      'retry-after': '30',
    });
    expect(JSON.parse(blocked.body)).toEqual({
      type: '/problems/rate_limit_exceeded',
      title: expect.any(String) as unknown,
      status: 429,
      error: 'rate_limit_exceeded',
      message: expect.any(String) as unknown,
      request_id: blocked.headers['x-amz-cf-id'],
      retryable: true,
      retry_after: 30,
      rule: 'W100',
    });
    expect(edge.home.asked).toHaveLength(50);
    expect((await ask(edge.port, '/api/v1/votes/v1', { from: '127.0.0.8' })).status).toBe(200);
    const labels = { acl: 'vote', rule: 'address-flood' };
    expect(await countOf(edge.metrics, 'edge_waf_blocked_total', labels)).toBe(1);
  });
});

describe('the page', () => {
  beforeEach(() => {
    edge.write('voter-web/dist/index.html', '<!doctype html>start');
    edge.write('voter-web/dist/de/index.html', '<!doctype html>deutsch');
    edge.write('voter-web/dist/assets/main-abc.js', `// ${'x'.repeat(2000)}`);
    edge.write('voter-web/secret.txt', 'not for anybody');
    edge.write('docs/openapi.json', '{"openapi":"3.1.1"}');
  });

  it('is served at each place within it, in its language, never from a browser cache', async () => {
    for (const path of ['/', '/verify?token=t', '/s/abc']) {
      expect((await ask(edge.port, path)).body).toBe('<!doctype html>start');
    }
    for (const path of ['/de', '/de/', '/de/s/abc', '/de/verify']) {
      const answer = await ask(edge.port, path);
      expect(answer.body).toBe('<!doctype html>deutsch');
      expect(answer.headers).toMatchObject({
        'cache-control': 'no-cache',
        'x-frame-options': 'DENY',
      });
    }
  });

  it('carries a policy that names the results host and trusts no inline script', async () => {
    const policy = (await ask(edge.port, '/')).headers['content-security-policy'];
    expect(policy).toContain("connect-src 'self' http://results.localhost:8080;");
    expect(policy).toContain("script-src 'self';");
    expect(policy).not.toContain('unsafe');
  });

  it('has assets that are kept for ever, compressed for those who can read it', async () => {
    const headers = { 'accept-encoding': 'gzip, br' };
    const answer = await ask(edge.port, '/assets/main-abc.js', { headers });
    expect(answer.headers).toMatchObject({
      'cache-control': 'public, max-age=31536000, immutable',
      'content-encoding': 'br',
      'content-type': 'text/javascript; charset=utf-8',
    });
    const plain = await ask(edge.port, '/assets/main-abc.js');
    expect(plain.headers['content-encoding']).toBeUndefined();
    expect(plain.body).toHaveLength(2003);
    const again = { 'if-none-match': plain.headers.etag! };
    expect((await ask(edge.port, '/assets/main-abc.js', { headers: again })).status).toBe(304);
  });

  it('is read again when it changes on disk', async () => {
    await ask(edge.port, '/assets/main-abc.js');
    await new Promise((resolve) => setTimeout(resolve, 20));
    edge.write('voter-web/dist/assets/main-abc.js', 'new');
    expect((await ask(edge.port, '/assets/main-abc.js')).body).toBe('new');
  });

  it('is not there for addresses outside it: 404, or refused', async () => {
    for (const path of ['/nothing', '/assets/none.js', '/assets', '/.env', '/api/v2/votes']) {
      expect([path, (await ask(edge.port, path)).status]).toEqual([path, 404]);
    }
    expect((await ask(edge.port, '/../secret.txt')).status).toBe(400);
    expect((await ask(edge.port, '/', { method: 'POST', body: '{}' })).status).toBe(403);
  });

  it('stands beside the description of the API', async () => {
    const answer = await ask(edge.port, '/api/v1/openapi.json');
    expect(answer).toMatchObject({ status: 200, body: '{"openapi":"3.1.1"}' });
  });
});
