import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ask, type EdgeUnderTest, startEdge } from './edge-under-test.ts';

let edge: EdgeUnderTest;
beforeEach(async () => {
  edge = await startEdge();
  edge.home.answer = (_asked, _request, response) => response.end('home');
  edge.away.answer = (_asked, _request, response) => response.end('away');
});
afterEach(() => edge.close());

describe('a region', () => {
  it('is pinned by the path for every method and service', async () => {
    for (const [method, path] of [
      ['POST', 'votes'],
      ['GET', 'votes/v1'],
      ['POST', 'sessions/s1/ballot'],
      ['GET', 'sessions/s1'],
      ['POST', 'auth/login'],
      ['GET', 'results/s1'],
      ['GET', 'results/s1/voted'],
    ] as const) {
      const east = await ask(edge.port, `/r/us-east-1/api/v1/${path}`, { method });
      const west = await ask(edge.port, `/r/us-west-2/api/v1/${path}`, { method });
      expect([path, east.body, west.body]).toEqual([path, 'home', 'away']);
    }
    expect(edge.away.asked[0]!.url).toBe('/r/us-west-2/api/v1/votes');
  });

  it('that is pinned and gone is a 502, also on GET: the viewer asked for this one', async () => {
    edge.home.kill();
    expect((await ask(edge.port, '/r/us-east-1/api/v1/votes/v1')).status).toBe(502);
    expect((await ask(edge.port, '/r/us-west-2/api/v1/votes/v1')).body).toBe('away');
  });

  it('that nobody knows is not found', async () => {
    expect((await ask(edge.port, '/r/mars-1/api/v1/votes/v1')).status).toBe(404);
    expect((await ask(edge.port, '/r/mars-1/api/v1/votes', { method: 'POST' })).status).toBe(403);
  });
});

describe('a GET with an origin group', () => {
  it('goes to the home region first', async () => {
    expect((await ask(edge.port, '/api/v1/votes/v1')).body).toBe('home');
    expect(edge.away.asked).toHaveLength(0);
  });

  it('goes on to the next region when the first is gone', async () => {
    edge.home.kill();
    expect(await ask(edge.port, '/api/v1/votes/v1')).toMatchObject({ status: 200, body: 'away' });
    expect(await ask(edge.port, '/api/v1/results/s1')).toMatchObject({ status: 200, body: 'away' });
    const jwks = await ask(edge.port, '/.well-known/jwks.json');
    expect(jwks).toMatchObject({ status: 200, body: 'away' });
  });

  it('goes on when the first answers 503, and not when it answers 404', async () => {
    edge.home.answer = (asked, _request, response) => {
      response.statusCode = asked.url.endsWith('v404') ? 404 : 503;
      response.end('home');
    };
    expect((await ask(edge.port, '/api/v1/votes/v503')).body).toBe('away');
    expect((await ask(edge.port, '/api/v1/votes/v404')).status).toBe(404);
  });

  it('answers with what the last region said when all are in trouble', async () => {
    edge.home.kill();
    edge.away.answer = (_asked, _request, response) => {
      response.statusCode = 503;
      response.end('outcome_unknown');
    };
    const answer = await ask(edge.port, '/api/v1/votes/v1');
    expect(answer).toMatchObject({ status: 503, body: 'outcome_unknown' });
  });
});
