import { beforeAll, describe, expect, test, vi } from 'vitest';
import { type Answer, ask, expectProblem, textOf, timestamp } from '../ask.ts';
import { createSession } from '../sessions.ts';
import { type Ballot, cast, claimsOf, newBallot } from '../voters.ts';

interface Voted extends Ballot {
  readonly code: string;
  readonly receipt: string;
}

const countedMsMax = 10_000;
const nobodysVote = '00000000-0000-8000-8000-000000000000';

const stateOf = (voteId: string, headers: Record<string, string>): Promise<Answer> =>
  ask(`/api/v1/votes/${voteId}`, { headers });

let sessionId: string;
beforeAll(async () => {
  sessionId = await createSession();
});

/** Votes, and waits until the row counts. */
async function vote(optionId: string): Promise<Voted> {
  const ballot = await newBallot(sessionId);
  const answer = await cast(ballot.token, sessionId, optionId);
  expect(answer.status).toBe(201);
  await vi.waitFor(
    async () => {
      const { body } = await ask(`/api/v1/votes/${ballot.voteId}`, { token: ballot.token });
      expect(body['status']).toBe('counted');
    },
    { timeout: countedMsMax, interval: 100 },
  );
  return {
    ...ballot,
    code: textOf(answer, 'confirmation_code'),
    receipt: textOf(answer, 'receipt'),
  };
}

describe('the state of a vote', () => {
  test('has the code for whoever holds the ballot', async () => {
    const { voteId, token, code, receipt } = await vote('aurora');
    const answer = await ask(`/api/v1/votes/${voteId}`, { token });
    expect(answer.status).toBe(200);
    expect(answer.headers.get('cache-control')).toBe('no-store');
    expect(answer.body).toEqual({
      vote_id: voteId,
      session_id: sessionId,
      status: 'counted',
      confirmation_code: code,
      accepted_at: claimsOf(receipt)['accepted_at'],
      counted_at: timestamp,
      as_of: timestamp,
      covers: expect.any(Object),
    });
  });

  test.each(['code', 'receipt'] as const)('says as cast to a right %s', async (proof) => {
    const voted = await vote('delta');
    const answer = await stateOf(voted.voteId, { 'vote-proof': voted[proof] });
    expect(answer.status).toBe(200);
    expect(answer.body).toMatchObject({ status: 'counted', as_cast: true, vote_id: voted.voteId });
    expect(answer.body).not.toHaveProperty('confirmation_code');
  });

  test('is not there for anybody else', async () => {
    const { voteId, code } = await vote('mira');
    const other = await vote('mira');
    const wrong = code.startsWith('0') ? `1${code.slice(1)}` : `0${code.slice(1)}`;
    expectProblem(await stateOf(voteId, {}), 404, 'not_found');
    expectProblem(await stateOf(voteId, { 'vote-proof': wrong }), 404, 'not_found');
    expectProblem(await stateOf(voteId, { 'vote-proof': other.receipt }), 404, 'not_found');
    const strange = await ask(`/api/v1/votes/${voteId}`, { token: other.token });
    expectProblem(strange, 404, 'not_found');
    expectProblem(await stateOf('no-vote-id', { 'vote-proof': code }), 404, 'not_found');
  });

  test('of a vote that was never sent is not recorded yet', async () => {
    const { voteId, token } = await newBallot(sessionId);
    const owner = await ask(`/api/v1/votes/${voteId}`, { token });
    expectProblem(owner, 404, 'not_recorded_yet', { retryable: true });
    expect(Number(owner.headers.get('retry-after'))).toBeGreaterThanOrEqual(1);
    const guess = await stateOf(nobodysVote, { 'vote-proof': '00000-00000' });
    expectProblem(guess, 404, 'not_recorded_yet', { retryable: true });
  });

  test('can be guessed at ten times a minute', async () => {
    const { voteId, receipt } = await vote('aurora');
    for (let tries = 0; tries < 10; tries++) {
      const guess = await stateOf(voteId, { 'vote-proof': `0000${tries}-0000${tries}` });
      expectProblem(guess, 404, 'not_found');
    }
    const limited = await stateOf(voteId, { 'vote-proof': receipt });
    expectProblem(limited, 429, 'rate_limit_exceeded', {
      retryable: true,
      retry_after: Number(limited.headers.get('retry-after')),
    });
  });
});
