import { expect, inject, test } from 'vitest';
import { ask, expectProblem, timestamp } from '../ask.ts';
import { createSession, options, untilState } from '../sessions.ts';

const session = (sessionId: string, more: object = {}) => ({
  session_id: sessionId,
  title: 'Song of the test',
  state: 'open',
  opens_at: timestamp,
  closes_at: timestamp,
  options,
  eligibility: [{ policy: 'code' }, { policy: 'account' }],
  results_policy: 'live',
  version: 1,
  results_url: inject('stack').edge,
  ...more,
});

test('a session says what it is, when it is open and where its results are', async () => {
  const sessionId = await createSession();
  const answer = await ask(`/api/v1/sessions/${sessionId}`);
  expect(answer.status).toBe(200);
  expect(answer.body).toEqual(session(sessionId));
  expect(answer.headers.get('cache-control')).toBe('public, max-age=1');
});

test('the list has open and scheduled sessions, newest first, and no closed one', async () => {
  const closing = await createSession({ closesInMs: 1500 });
  const open = await createSession();
  const scheduled = await createSession({ opensInMs: 60_000, policies: ['code'] });
  await untilState(closing, 'closed', 10_000);
  const answer = await ask('/api/v1/sessions');
  expect(answer.status).toBe(200);
  const listed = answer.body['sessions'] as { session_id: string }[];
  expect(listed.slice(0, 2)).toEqual([
    session(scheduled, { state: 'scheduled', eligibility: [{ policy: 'code' }] }),
    session(open),
  ]);
  expect(listed.map(({ session_id: id }) => id)).not.toContain(closing);
});

test('no session is not found, under whatever name', async () => {
  for (const id of ['00000000-0000-4000-8000-000000000000', 'nothing', '%3Cb%3E']) {
    expectProblem(await ask(`/api/v1/sessions/${id}`), 404, 'not_found');
  }
});

test('the description of the API names every contract', async () => {
  const answer = await ask('/api/v1/openapi.json');
  expect(answer.status).toBe(200);
  expect(answer.headers.get('content-type')).toMatch(/^application\/json/);
  expect(answer.body['openapi']).toMatch(/^3\.1\./);
  expect(Object.keys(answer.body['paths'] as object).toSorted()).toEqual([
    '/.well-known/jwks.json',
    '/api/v1/auth/login',
    '/api/v1/auth/logout',
    '/api/v1/auth/refresh',
    '/api/v1/auth/register',
    '/api/v1/auth/validate',
    '/api/v1/auth/verify',
    '/api/v1/results/{session_id}',
    '/api/v1/results/{session_id}/final/{digest}',
    '/api/v1/results/{session_id}/stream',
    '/api/v1/results/{session_id}/voted',
    '/api/v1/sessions',
    '/api/v1/sessions/{session_id}',
    '/api/v1/sessions/{session_id}/ballot',
    '/api/v1/votes',
    '/api/v1/votes/{vote_id}',
  ]);
});

test('the JWKS has public Ed25519 keys only', async () => {
  const { status, body } = await ask('/.well-known/jwks.json');
  expect(status).toBe(200);
  const keys = body['keys'] as unknown[];
  expect(keys.length).toBeGreaterThanOrEqual(3);
  for (const key of keys) {
    expect(key).toEqual({
      kty: 'OKP',
      crv: 'Ed25519',
      x: expect.stringMatching(/^[\w-]{43}$/),
      kid: expect.any(String),
      alg: 'EdDSA',
      use: 'sig',
    });
  }
});

test('an address that is not there is a problem, and health is nobody’s business', async () => {
  for (const path of ['/api/v1/auth/nothing', '/api/v1/votes/a/b']) {
    expectProblem(await ask(path), 404, 'not_found');
  }
  for (const path of ['/healthz', '/readyz', '/metrics']) {
    expect((await ask(path)).headers.get('content-type')).not.toMatch(/json|text\/plain/);
  }
});
