import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { systemClock } from '#common/clock.ts';
import { ask, countOf, type EdgeUnderTest, startEdge } from './edge-under-test.ts';

/** A clock that the test moves, so that no test waits for a cache to grow old. */
const clock = {
  nowMs: 0,
  now: () => Date.now(),
  monotonicMs: () => clock.nowMs,
  after: (ms: number, act: () => void) => systemClock.after(ms, act),
};
const snapshot = '/api/v1/results/s1';

let edge: EdgeUnderTest;
let version: number;
let cacheControl: string;

beforeEach(async () => {
  clock.nowMs = 1_000_000;
  version = 0;
  cacheControl = 'max-age=1, stale-while-revalidate=5, stale-if-error=60';
  edge = await startEdge({ clock });
  edge.home.answer = (_asked, _request, response) => {
    response.setHeader('cache-control', cacheControl);
    response.setHeader('etag', `"${version}"`);
    setTimeout(() => response.end(`version ${version++}`), 20);
  };
  edge.away.answer = (_asked, _request, response) => {
    response.statusCode = 503;
    response.end('away is in trouble');
  };
});
afterEach(() => edge.close());

describe('the cached snapshot', () => {
  it('is fetched once for 100 viewers at a time', async () => {
    const answers = await Promise.all(Array.from({ length: 100 }, () => ask(edge.port, snapshot)));
    expect(new Set(answers.map(({ body }) => body))).toEqual(new Set(['version 0']));
    expect(edge.home.asked).toHaveLength(1);
  });

  it('is answered from memory for its max-age, with its age', async () => {
    await ask(edge.port, snapshot);
    clock.nowMs += 999;
    const hit = await ask(edge.port, snapshot);
    expect(hit.headers).toMatchObject({ 'x-cache': 'Hit from cloudfront', age: '0' });
    expect(edge.home.asked).toHaveLength(1);
    const behavior = 'vote /api/v1/results/*';
    const hits = { behavior, result: 'hit' };
    expect(await countOf(edge.metrics, 'edge_cache_total', hits)).toBe(1);
  });

  it('is answered stale at once while one newer copy is fetched', async () => {
    await ask(edge.port, snapshot);
    const { answer } = edge.home;
    const release = Promise.withResolvers<void>();
    edge.home.answer = (...asked) => void release.promise.then(() => answer(...asked));
    clock.nowMs += 3000;
    const stale = await Promise.all(Array.from({ length: 20 }, () => ask(edge.port, snapshot)));
    expect(stale.every(({ body }) => body === 'version 0')).toBe(true);
    expect(stale[0]!.headers['x-cache']).toBe('RefreshHit from cloudfront');
    release.resolve();
    await vi.waitFor(async () => {
      expect((await ask(edge.port, snapshot)).body).toBe('version 1');
    });
    expect(edge.home.asked).toHaveLength(2);
  });

  it('is fetched anew when it is older than stale-while-revalidate allows', async () => {
    await ask(edge.port, snapshot);
    clock.nowMs += 6001;
    expect((await ask(edge.port, snapshot)).body).toBe('version 1');
  });

  it('has one key: no query, cookie or header makes a copy or reaches the origin', async () => {
    await ask(edge.port, snapshot);
    const headers = { cookie: 'a=b', authorization: 'Bearer x', accept: 'text/html' };
    const other = await ask(edge.port, `${snapshot}?bust=1`, { headers });
    expect(other.body).toBe('version 0');
    expect(edge.home.asked).toHaveLength(1);
    clock.nowMs += 10_000;
    await ask(edge.port, `${snapshot}?bust=2`, { headers });
    expect(edge.home.asked[1]!.url).toBe(snapshot);
    expect(edge.home.asked[1]!.headers).not.toHaveProperty('authorization');
    expect(edge.home.asked[1]!.headers).not.toHaveProperty('cookie');
  });

  it('survives the origin: stale for as long as stale-if-error says, then the error', async () => {
    await ask(edge.port, snapshot);
    edge.home.kill();
    clock.nowMs += 30_000;
    const stale = await ask(edge.port, snapshot);
    expect(stale).toMatchObject({ status: 200, body: 'version 0' });
    clock.nowMs += 40_000;
    expect((await ask(edge.port, snapshot)).status).toBe(503);
  });

  it('asks an origin in trouble once a second, not once a viewer', async () => {
    await ask(edge.port, snapshot);
    edge.home.answer = (_asked, _request, response) => {
      response.statusCode = 503;
      response.end();
    };
    clock.nowMs += 30_000;
    for (let at = 0; at < 10; at++) await ask(edge.port, snapshot);
    expect(edge.home.asked).toHaveLength(2);
    clock.nowMs += 1001;
    await ask(edge.port, snapshot);
    await vi.waitFor(() => expect(edge.home.asked).toHaveLength(3));
  });

  it('answers 304 to a viewer that has it', async () => {
    await ask(edge.port, snapshot);
    const headers = { 'if-none-match': '"0"' };
    expect(await ask(edge.port, snapshot, { headers })).toMatchObject({ status: 304, body: '' });
  });

  it('answers HEAD from the same copy', async () => {
    await ask(edge.port, snapshot);
    const head = await ask(edge.port, snapshot, { method: 'HEAD' });
    expect(head).toMatchObject({ status: 200, body: '' });
    expect(head.headers['content-length']).toBe('9');
    expect(edge.home.asked).toHaveLength(1);
  });

  it('is kept apart per region and per host', async () => {
    edge.away.answer = (_asked, _request, response) => response.end('away');
    await ask(edge.port, snapshot);
    expect((await ask(edge.port, `/r/us-west-2${snapshot}`)).body).toBe('away');
    const host = 'results.localhost';
    expect((await ask(edge.port, snapshot, { headers: { host } })).body).toBe('version 1');
  });

  it('may be read by pages of other hosts', async () => {
    const headers = { origin: 'http://localhost:8080', host: 'results.localhost' };
    for (const _ of ['miss', 'hit']) {
      const answer = await ask(edge.port, snapshot, { headers });
      expect(answer.headers['access-control-allow-origin']).toBe('*');
    }
  });
});

describe('an error of a cacheable address', () => {
  it('is answered for one second without asking again', async () => {
    edge.home.answer = (_asked, _request, response) => {
      response.writeHead(404, { 'cache-control': 'no-store' });
      response.end('not_found');
    };
    const answers = [await ask(edge.port, snapshot), await ask(edge.port, snapshot)];
    expect(answers.map(({ status, body }) => [status, body])).toEqual([
      [404, 'not_found'],
      [404, 'not_found'],
    ]);
    expect(edge.home.asked).toHaveLength(1);
    clock.nowMs += 1001;
    await ask(edge.port, snapshot);
    expect(edge.home.asked).toHaveLength(2);
  });
});

describe('an answer that belongs to one viewer', () => {
  for (const header of ['private', 'no-store', 'no-cache, max-age=60']) {
    it(`is shared with nobody: ${header}`, async () => {
      cacheControl = header;
      const answers = await Promise.all(Array.from({ length: 5 }, () => ask(edge.port, snapshot)));
      expect(new Set(answers.map(({ body }) => body)).size).toBe(5);
      expect((await ask(edge.port, snapshot)).body).toBe('version 5');
    });
  }

  it('is shared with nobody when it sets a cookie', async () => {
    edge.home.answer = (_asked, _request, response) => {
      response.writeHead(200, { 'set-cookie': `id=${version++}`, 'cache-control': 'max-age=60' });
      response.end();
    };
    const first = await ask(edge.port, snapshot);
    const second = await ask(edge.port, snapshot);
    expect([first.headers['set-cookie'], second.headers['set-cookie']]).toEqual([
      ['id=0'],
      ['id=1'],
    ]);
  });

  it('is never cached on the routes of own data, whatever the origin says', async () => {
    cacheControl = 'public, max-age=600';
    for (const path of ['/api/v1/votes/v1', `${snapshot}/voted`, '/api/v1/auth/validate']) {
      const [one, two] = [await ask(edge.port, path), await ask(edge.port, path)];
      expect(one.body).not.toBe(two.body);
    }
  });
});
