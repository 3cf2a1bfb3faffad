import { beforeAll, describe, expect, inject, test } from 'vitest';
import { ask, expectProblem, textOf, timestamp } from '../ask.ts';
import { createSession, options, untilState } from '../sessions.ts';
import { askForBallot, claimsOf, createAccount, logIn, newCode, openBallot } from '../voters.ts';

const nobodysSession = '00000000-0000-4000-8000-000000000000';

describe('a ballot', () => {
  let sessionId: string;
  beforeAll(async () => {
    sessionId = await createSession({ title: 'Ballots' });
  });

  test('is opened with a voting code, again and again for the same vote', async () => {
    const code = newCode(sessionId);
    const answer = await askForBallot(sessionId, { code });
    expect(answer.status).toBe(200);
    expect(answer.body).toEqual({
      ballot_token: expect.stringMatching(/^[\w-]+\.[\w-]+\.[\w-]+$/),
      expires_in: expect.any(Number),
      session: {
        session_id: sessionId,
        title: 'Ballots',
        state: 'open',
        opens_at: timestamp,
        version: 1,
      },
      options,
      closes_at: timestamp,
      regions: inject('stack').regions.map(({ name, url }) => ({ name, url })),
    });
    expect(answer.headers.get('cache-control')).toBe('no-store');
    // As a voter copies it from a card: small letters, and blanks for dashes.
    const typed = code.toLowerCase().replaceAll('-', ' ');
    const { voteId } = await openBallot(sessionId, { code: typed });
    expect(voteId).toBe(claimsOf(textOf(answer, 'ballot_token'))['vote_id']);
    expect((await openBallot(sessionId, { code: newCode(sessionId) })).voteId).not.toBe(voteId);
  });

  test('is opened with a login, and does not say who the voter is', async () => {
    const account = await createAccount();
    const { access } = await logIn(account);
    const first = await openBallot(sessionId, { accessToken: access });
    const again = await openBallot(sessionId, { accessToken: (await logIn(account)).access });
    expect(again.voteId).toBe(first.voteId);
    const { sub, vid } = claimsOf(access);
    const said = JSON.stringify(claimsOf(first.token));
    for (const person of [sub, vid, account.email]) expect(said).not.toContain(person);
  });

  test('is refused without code and token, with bad ones, and for no session', async () => {
    const path = `/api/v1/sessions/${sessionId}/ballot`;
    expectProblem(await ask(path, { method: 'POST' }), 401, 'invalid_token');
    const invented = await askForBallot(sessionId, { accessToken: 'a.b.c' });
    expectProblem(invented, 401, 'invalid_token');
    const mistyped = await askForBallot(sessionId, { code: '00000-00000-00000-00000' });
    expectProblem(mistyped, 422, 'invalid_code');
    const elsewhere = await askForBallot(nobodysSession, { code: newCode(nobodysSession) });
    expectProblem(elsewhere, 404, 'not_found');
    expectProblem(await ask(path, { body: { code: 7 } }), 400, 'invalid_request');
    expectProblem(await ask(path, { body: 'x'.repeat(20_000) }), 413, 'body_too_large');
    const form = { 'content-type': 'text/plain' };
    const wrongType = await ask(path, { body: '{}', headers: form });
    expectProblem(wrongType, 415, 'unsupported_media_type');
  });

  test('is for those whom the session admits', async () => {
    const byAccount = await createSession({ policies: ['account'] });
    const byCode = await createSession({ policies: ['code'] });
    const code = await askForBallot(byAccount, { code: newCode(byAccount) });
    expectProblem(code, 403, 'not_eligible');
    const { access } = await logIn(await createAccount());
    const account = await askForBallot(byCode, { accessToken: access });
    expectProblem(account, 403, 'not_eligible');
  });

  test('is opened ahead of the rush, and after closing for reading', async () => {
    const scheduled = await createSession({ opensInMs: 60_000 });
    const ahead = await askForBallot(scheduled, { code: newCode(scheduled) });
    expect(ahead.status).toBe(200);
    expect(ahead.body['session']).toMatchObject({ state: 'scheduled' });
    const closing = await createSession({ closesInMs: 1500 });
    await untilState(closing, 'closed', 10_000);
    const after = await askForBallot(closing, { code: newCode(closing) });
    expect(after.status).toBe(200);
    expect(after.body['session']).toMatchObject({ state: 'closed' });
  });
});
