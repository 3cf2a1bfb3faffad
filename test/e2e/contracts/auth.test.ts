import { randomBytes } from 'node:crypto';
import { createLocalJWKSet, type JSONWebKeySet, jwtVerify } from 'jose';
import { beforeAll, describe, expect, test } from 'vitest';
import { ask, expectProblem, textOf, uuid } from '../ask.ts';
import { type Account, createAccount, logIn, mailedLink, newCredentials } from '../voters.ts';

const tokens = {
  user_id: uuid,
  access_token: expect.stringMatching(/^[\w-]+\.[\w-]+\.[\w-]+$/),
  refresh_token: expect.stringMatching(/^[\w-]{43}$/),
  expires_in: 3600,
  token_type: 'Bearer',
};

const refresh = (token: string) => ask('/api/v1/auth/refresh', { body: { refresh_token: token } });
const validate = (token: string) => ask('/api/v1/auth/validate', { token });

describe('registration', () => {
  test('is answered alike for new and known addresses; the mail has the link', async () => {
    const known = await createAccount();
    const again = await ask('/api/v1/auth/register', { body: known });
    const fresh = await ask('/api/v1/auth/register', { body: newCredentials() });
    for (const answer of [again, fresh]) {
      expect(answer.status).toBe(202);
      expect(answer.body).toEqual({ status: 'verification_sent' });
    }
  });

  test('is confirmed by the token of the mail, once', async () => {
    const account = newCredentials();
    await ask('/api/v1/auth/register', { body: account });
    expectProblem(await ask('/api/v1/auth/login', { body: account }), 403, 'email_not_verified');
    const token = new URL(await mailedLink(account.email)).searchParams.get('token');
    const verified = await ask('/api/v1/auth/verify', { body: { token } });
    expect(verified.status).toBe(200);
    expect(verified.body).toEqual({ status: 'verified' });
    const stale = { token: randomBytes(32).toString('base64url') };
    const refused = await ask('/api/v1/auth/verify', { body: stale });
    expectProblem(refused, 422, 'invalid_verification');
  });

  test('asks for ten characters of password', async () => {
    const body = { ...newCredentials(), password: 'short' };
    expectProblem(await ask('/api/v1/auth/register', { body }), 400, 'invalid_request');
  });
});

describe('login', () => {
  let account: Account;
  beforeAll(async () => {
    account = await createAccount();
  });

  test('gives tokens whose claims verify against the JWKS of the host', async () => {
    const device = { user_agent: 'test', device_fingerprint: 'none' };
    const body = { ...account, device_info: device };
    const answer = await ask('/api/v1/auth/login', { body });
    expect(answer.status).toBe(200);
    expect(answer.body).toEqual(tokens);
    expect(answer.headers.get('cache-control')).toBe('no-store');
    const jwks = await ask('/.well-known/jwks.json');
    expect(jwks.status).toBe(200);
    const keys = createLocalJWKSet(jwks.body as unknown as JSONWebKeySet);
    const { payload } = await jwtVerify(textOf(answer, 'access_token'), keys);
    expect(payload).toMatchObject({
      sub: answer.body['user_id'],
      vid: expect.stringMatching(/^[\w-]{43}$/),
      verified: true,
      acr: 'password',
      session_id: uuid,
      jti: expect.any(String),
    });
    expect(Number(payload.exp) - Number(payload.iat)).toBe(3600);
  });

  test('refuses a wrong password and an unknown address with the same words', async () => {
    const wrong = await ask('/api/v1/auth/login', { body: { ...account, password: 'not that' } });
    const unknown = await ask('/api/v1/auth/login', { body: newCredentials() });
    expectProblem(wrong, 401, 'invalid_credentials');
    expectProblem(unknown, 401, 'invalid_credentials');
    expect(wrong.body['message']).toBe(unknown.body['message']);
  });

  test('is told valid by validate, until logout ends it', async () => {
    const { access, refresh: refreshToken } = await logIn(account);
    const valid = await validate(access);
    expect(valid.status).toBe(200);
    expect(valid.body).toEqual({
      valid: true,
      sub: uuid,
      verified: true,
      acr: 'password',
      exp: expect.any(Number),
    });
    const out = await ask('/api/v1/auth/logout', {
      token: access,
      body: { refresh_token: refreshToken },
    });
    expect(out.status).toBe(200);
    expect(out.body).toEqual({ status: 'logged_out' });
    expectProblem(await validate(access), 401, 'invalid_token');
    expectProblem(await refresh(refreshToken), 401, 'invalid_token');
    expectProblem(await ask('/api/v1/auth/validate'), 401, 'invalid_token');
  });
});

describe('refresh', () => {
  test('rotates, and a token used twice ends the whole login', async () => {
    const first = await logIn(await createAccount());
    const rotated = await refresh(first.refresh);
    expect(rotated.status).toBe(200);
    expect(rotated.body).toEqual(tokens);
    const second = textOf(rotated, 'refresh_token');
    expect(second).not.toBe(first.refresh);
    const access = textOf(rotated, 'access_token');
    expect((await validate(access)).status).toBe(200);
    expectProblem(await refresh(first.refresh), 401, 'invalid_token');
    expectProblem(await refresh(second), 401, 'invalid_token');
    expectProblem(await validate(access), 401, 'invalid_token');
  });

  test('refuses what is no refresh token', async () => {
    const invented = randomBytes(32).toString('base64url');
    expectProblem(await refresh(invented), 401, 'invalid_token');
    expectProblem(await refresh('short'), 400, 'invalid_request');
  });
});
