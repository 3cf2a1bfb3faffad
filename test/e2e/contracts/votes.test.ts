import { compactVerify, createLocalJWKSet, type JSONWebKeySet } from 'jose';
import { beforeAll, describe, expect, inject, test, vi } from 'vitest';
import { ask, expectProblem, textOf, timestamp, uuid } from '../ask.ts';
import { createSession, untilState } from '../sessions.ts';
import { cast, claimsOf, newBallot } from '../voters.ts';

let sessionId: string;
beforeAll(async () => {
  sessionId = await createSession();
});

const confirmationCode = /^[0-9A-HJKMNP-TV-Z]{5}-[0-9A-HJKMNP-TV-Z]{5}$/;
const key = { 'idempotency-key': 'key-of-this-test' };

/** Sends a body as it is, with a good ballot. */
async function post(body: unknown, headers: Record<string, string> = key) {
  const { token } = await newBallot(sessionId);
  return ask('/api/v1/votes', { token, body, headers });
}

describe('a vote', () => {
  test('is answered with its id, a code and a receipt signed by a key of the JWKS', async () => {
    const { token, voteId } = await newBallot(sessionId);
    const answer = await cast(token, sessionId, 'delta');
    expect(answer.status).toBe(201);
    expect(answer.headers.get('content-type')).toMatch(/^application\/json/);
    expect(answer.headers.get('cache-control')).toBe('no-store');
    expect(answer.body).toEqual({
      vote_id: voteId,
      status: 'accepted',
      timestamp,
      confirmation_code: expect.stringMatching(confirmationCode),
      receipt: expect.any(String),
      message: expect.stringContaining('your earliest choice counts'),
    });
    const jwks = await ask('/.well-known/jwks.json');
    const keys = createLocalJWKSet(jwks.body as unknown as JSONWebKeySet);
    const { payload } = await compactVerify(textOf(answer, 'receipt'), keys);
    expect(JSON.parse(Buffer.from(payload).toString())).toEqual({
      vote_id: voteId,
      session_id: sessionId,
      commitment: expect.stringMatching(/^[\w-]{43}$/),
      accepted_at: answer.body['timestamp'],
      region: inject('stack').regions[0]?.name,
      partition: expect.any(Number),
      offset: expect.any(Number),
      durability: 'single',
    });
  });

  test('sent again is answered alike, whatever the key and the way in', async () => {
    const { token } = await newBallot(sessionId);
    const first = await cast(token, sessionId, 'delta');
    const again = await cast(token, sessionId, 'delta', 'another-key');
    expect(again.status).toBe(201);
    expect(again.body).toEqual(first.body);
    const pinned = await ask(`${new URL(inject('stack').regions[0]!.url).pathname}/api/v1/votes`, {
      token,
      headers: key,
      body: { session_id: sessionId, option_id: 'delta' },
    });
    expect(pinned.status).toBe(201);
    expect(pinned.body['vote_id']).toBe(first.body['vote_id']);
    expect(pinned.body['confirmation_code']).toBe(first.body['confirmation_code']);
  });

  test('with another choice is refused, and told which vote stands', async () => {
    const { token, voteId } = await newBallot(sessionId);
    const first = await cast(token, sessionId, 'aurora');
    expect(first.status).toBe(201);
    // The claim is finished off the way of the answer: for a moment the first vote is in progress.
    const other = await vi.waitFor(
      async () => {
        const answer = await cast(token, sessionId, 'mira');
        expect(answer.body['error']).not.toBe('vote_in_progress');
        return answer;
      },
      { timeout: 5000, interval: 600 },
    );
    expectProblem(other, 409, 'duplicate_vote', {
      existing_vote_id: voteId,
      timestamp: first.body['timestamp'],
    });
  });

  test('needs a ballot that is good, and for this session', async () => {
    const body = { session_id: sessionId, option_id: 'delta' };
    expectProblem(await ask('/api/v1/votes', { body, headers: key }), 401, 'invalid_token');
    const { token } = await newBallot(sessionId);
    const forged = token.replace(/\.[\w-]{4}(?=[\w-]+$)/, '.AAAA');
    expectProblem(await cast(forged, sessionId, 'delta'), 401, 'invalid_token');
    const elsewhere = await newBallot(await createSession());
    expectProblem(await cast(elsewhere.token, sessionId, 'delta'), 422, 'invalid_ballot');
  });

  test('is for an option of the session, whoever the body says is voting', async () => {
    const { token, voteId } = await newBallot(sessionId);
    expectProblem(await cast(token, sessionId, 'nobody'), 422, 'unknown_option');
    const answer = await ask('/api/v1/votes', {
      token,
      headers: key,
      body: {
        user_id: 'somebody-else',
        session_id: sessionId,
        option_id: 'mira',
        timestamp: '1999-12-31T23:59:59.999Z',
        client_metadata: { ip_address: '192.0.2.1', user_agent: 'test', timezone: 'UTC' },
      },
    });
    expect(answer.status).toBe(201);
    expect(answer.body).toMatchObject({
      vote_id: voteId,
      timestamp: expect.not.stringMatching(/^1999/),
    });
  });

  test('must have the form that the contract gives it', async () => {
    const good = { session_id: sessionId, option_id: 'delta' };
    expectProblem(await post(good, {}), 400, 'invalid_request');
    expectProblem(await post({ ...good, more: 1 }), 400, 'invalid_request');
    expectProblem(await post('{"session_id":'), 400, 'invalid_request');
    expectProblem(await post({ ...good, user_id: 'x'.repeat(9000) }), 413, 'body_too_large');
    const asForm = { ...key, 'content-type': 'application/x-www-form-urlencoded' };
    expectProblem(await post('option_id=delta', asForm), 415, 'unsupported_media_type');
  });
});

describe('outside the voting times', () => {
  test('a vote before opening is told when to come back', async () => {
    const scheduled = await createSession({ opensInMs: 60_000 });
    const { token } = await newBallot(scheduled);
    expectProblem(await cast(token, scheduled, 'delta'), 409, 'session_not_open', {
      retryable: true,
      opens_at: timestamp,
    });
  });

  test('a vote after closing is gone, and told where its state is', async () => {
    const closing = await createSession({ closesInMs: 2500 });
    const { token, voteId } = await newBallot(closing);
    await untilState(closing, 'closed', 10_000);
    const refused = await cast(token, closing, 'delta');
    expectProblem(refused, 410, 'session_closed', {
      vote_id: voteId,
      state: `/api/v1/votes/${voteId}`,
    });
    // The ballot reads on: nothing is recorded there.
    const state = await ask(textOf(refused, 'state'), { token });
    expectProblem(state, 404, 'not_recorded_yet', { retryable: true });
  });
});

test('a voter who hammers is slowed down, and told for how long', async () => {
  const { token } = await newBallot(sessionId);
  const answers = await Promise.all(
    Array.from({ length: 25 }, () => cast(token, sessionId, 'mira')),
  );
  const accepted = answers.filter(({ status }) => status === 201);
  const limited = answers.filter(({ status }) => status === 429);
  expect(accepted.length + limited.length).toBe(25);
  expect(new Set(accepted.map(({ body }) => body['vote_id'])).size).toBe(1);
  const [refused] = limited;
  if (refused === undefined) throw new Error('25 at once are more than the bucket holds');
  expectProblem(refused, 429, 'rate_limit_exceeded', {
    retryable: true,
    retry_after: Number(refused.headers.get('retry-after')),
  });
  expect(refused.body['retry_after']).toBeGreaterThanOrEqual(1);
  expect(claimsOf(token)['vote_id']).toEqual(uuid);
});
