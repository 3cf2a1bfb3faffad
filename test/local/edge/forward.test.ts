import { connect } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ask, countOf, type EdgeUnderTest, originSecret, startEdge } from './edge-under-test.ts';

let edge: EdgeUnderTest;
beforeEach(async () => {
  edge = await startEdge({
    config: (config) => {
      for (const origin of Object.values(config.Origins)) {
        if ('Service' in origin) origin.OriginReadTimeout = 1;
      }
    },
  });
});
afterEach(() => edge.close());

const vote = { method: 'POST', body: '{"option_id":"a"}' };

describe('a request to an origin', () => {
  it('arrives with method, path, query, body and the headers that the viewer sent', async () => {
    const headers = {
      'content-type': 'application/json',
      authorization: 'Bearer abc',
      'idempotency-key': 'k1',
    };
    await ask(edge.port, '/api/v1/votes?x=1', { ...vote, headers });
    expect(edge.home.asked).toMatchObject([
      { method: 'POST', url: '/api/v1/votes?x=1', body: vote.body, headers },
    ]);
  });

  it('carries the secret, the viewer address and a trace id of the edge', async () => {
    await ask(edge.port, '/api/v1/votes', { ...vote, from: '127.0.0.9' });
    const { headers } = edge.home.asked[0]!;
    expect(headers['x-origin-secret']).toBe(originSecret);
    expect(headers['cloudfront-viewer-address']).toMatch(/^127\.0\.0\.9:\d+$/);
    expect(headers['traceparent']).toMatch(/^00-[0-9a-f]{32}-[0-9a-f]{16}-00$/);
  });

  it('keeps a valid traceparent of the viewer and replaces one that is not', async () => {
    const traceparent = `00-${'a'.repeat(32)}-${'b'.repeat(16)}-01`;
    await ask(edge.port, '/api/v1/votes', { ...vote, headers: { traceparent } });
    await ask(edge.port, '/api/v1/votes', { ...vote, headers: { traceparent: 'x\u0009y' } });
    expect(edge.home.asked[0]!.headers['traceparent']).toBe(traceparent);
    expect(edge.home.asked[1]!.headers['traceparent']).toMatch(/^00-[0-9a-f]{32}-/);
  });

  it('loses what a viewer may not say for the edge', async () => {
    const headers = {
      'x-origin-secret': 'forged',
      'cloudfront-viewer-address': '9.9.9.9:1',
      'CloudFront-Viewer-Country': 'XX',
      'x-forwarded-for': '9.9.9.9',
      'X-Amzn-Waf-Client': 'good',
      'x-real-ip': '9.9.9.9',
      forwarded: 'for=9.9.9.9',
      'x-amz-cf-id': 'forged',
      te: 'trailers',
      cookie: 'a=b',
    };
    await ask(edge.port, '/api/v1/votes', { ...vote, headers });
    const { rawHeaders } = edge.home.asked[0]!;
    expect(rawHeaders.join('\n')).not.toMatch(/forged|9\.9\.9\.9|good|trailers|XX|a=b/);
    const names = rawHeaders.filter((_, index) => index % 2 === 0).map((one) => one.toLowerCase());
    expect(names).toEqual([...new Set(names)]);
  });

  it('is refused when Connection names a header that is trusted behind the edge', async () => {
    for (const connection of ['x-origin-secret', 'close, Authorization', 'traceparent']) {
      const answer = await ask(edge.port, '/api/v1/votes', { ...vote, headers: { connection } });
      expect(answer.status).toBe(400);
    }
    expect(edge.home.asked).toEqual([]);
  });

  it('passes a cookie to the portal, and to no other host', async () => {
    const headers = { cookie: '__Host-login=1' };
    await ask(edge.portalPort, '/admin/api/v1/sessions', { headers });
    await ask(edge.port, '/api/v1/auth/validate', { headers });
    expect(edge.portal.asked[0]!.headers.cookie).toBe('__Host-login=1');
    expect(edge.home.asked[0]!.headers.cookie).toBeUndefined();
  });

  it('keeps Authorization and Vote-Proof on reading a vote', async () => {
    const headers = { authorization: 'Bearer b', 'vote-proof': 'p' };
    await ask(edge.port, '/api/v1/votes/v1?at=us-east-1/0/5', { headers });
    expect(edge.home.asked).toMatchObject([{ url: '/api/v1/votes/v1?at=us-east-1/0/5', headers }]);
  });
});

describe('a body', () => {
  it('of chunks arrives whole, with its length', async () => {
    const headers = { 'transfer-encoding': 'chunked' };
    await ask(edge.port, '/api/v1/votes', { method: 'POST', headers, body: 'x'.repeat(5000) });
    expect(edge.home.asked[0]!.body).toBe('x'.repeat(5000));
    expect(edge.home.asked[0]!.headers).toMatchObject({ 'content-length': '5000' });
    expect(edge.home.asked[0]!.headers['transfer-encoding']).toBeUndefined();
  });

  it('above 128 kB is refused, declared or not, and never reaches the origin', async () => {
    const body = Buffer.alloc(128 * 1024 + 1, 'x');
    const declared = await ask(edge.port, '/api/v1/votes', { method: 'POST', body });
    expect(declared.status).toBe(413);
    const chunked = { method: 'POST', headers: { 'transfer-encoding': 'chunked' } };
    expect((await ask(edge.port, '/api/v1/votes', { ...chunked, body })).status).toBe(413);
    expect(edge.home.asked).toEqual([]);
  });

  it('of a viewer that leaves half-way never reaches the origin', async () => {
    const socket = connect(edge.port, '127.0.0.1');
    socket.write('POST /api/v1/votes HTTP/1.1\r\nHost: localhost\r\nContent-Length: 10\r\n\r\nabc');
    await new Promise((resolve) => setTimeout(resolve, 50));
    socket.destroy();
    await new Promise((resolve) => setTimeout(resolve, 50));
    expect(edge.home.asked).toEqual([]);
  });
});

describe('an answer', () => {
  it('passes with status, headers and body, with the security headers of its policy', async () => {
    edge.home.answer = (_asked, _request, response) => {
      response.writeHead(409, { 'content-type': 'application/problem+json', 'x-request-id': 't' });
      response.end('{"error":"duplicate_vote"}');
    };
    const answer = await ask(edge.port, '/api/v1/votes', vote);
    expect(answer).toMatchObject({ status: 409, body: '{"error":"duplicate_vote"}' });
    expect(answer.headers).toMatchObject({
      'content-type': 'application/problem+json',
      'x-request-id': 't',
      'x-content-type-options': 'nosniff',
      'strict-transport-security': 'max-age=63072000; includeSubDomains',
      'x-cache': 'Miss from cloudfront',
    });
  });

  it('of many chunks passes whole', async () => {
    edge.home.answer = (_asked, _request, response) => {
      for (let at = 0; at < 50; at++) response.write(`${at},`.repeat(2000));
      response.end('end');
    };
    const { body } = await ask(edge.port, '/api/v1/votes', vote);
    expect(body).toHaveLength(2000 * (10 * 2 + 40 * 3) + 3);
    expect(body.endsWith('49,end')).toBe(true);
  });

  it('that breaks off is broken off for the viewer, not made to look whole', async () => {
    edge.home.answer = (_asked, _request, response) => {
      response.writeHead(200, { 'content-length': '100' });
      response.write('half');
      setTimeout(() => response.destroy(), 20);
    };
    await expect(ask(edge.port, '/api/v1/votes', vote)).rejects.toThrow(/aborted|reset|hang up/);
  });

  it('is counted by behaviour', async () => {
    await ask(edge.port, '/api/v1/votes', vote);
    const behavior = 'vote /api/v1/votes';
    const labels = { behavior, status: '2xx' };
    expect(await countOf(edge.metrics, 'edge_requests_total', labels)).toBe(1);
    expect(await countOf(edge.metrics, 'edge_origin_seconds', { behavior })).toBeGreaterThan(0);
  });
});

describe('an origin in trouble', () => {
  it('that says nothing is a 504 after the read timeout', async () => {
    edge.home.answer = () => {};
    const startMs = performance.now();
    const answer = await ask(edge.port, '/api/v1/votes', vote);
    expect(answer.status).toBe(504);
    expect(performance.now() - startMs).toBeGreaterThan(900);
    expect(performance.now() - startMs).toBeLessThan(3000);
  });

  it('that cuts the connection is a 502, and the POST is not sent a second time', async () => {
    edge.home.answer = (_asked, _request, response) => response.destroy();
    const answer = await ask(edge.port, '/api/v1/votes', vote);
    expect(answer.status).toBe(502);
    expect(answer.headers['content-type']).toMatch(/html/);
    expect(edge.home.asked).toHaveLength(1);
    expect(edge.away.asked).toHaveLength(0);
    expect(await countOf(edge.metrics, 'edge_origin_faults_total', { fault: 'broken' })).toBe(1);
  });

  it('that is gone is a 502 for a POST, whatever the other region could do', async () => {
    edge.home.kill();
    expect((await ask(edge.port, '/api/v1/votes', vote)).status).toBe(502);
    expect(edge.away.asked).toHaveLength(0);
  });
});
