import { randomUUID } from 'node:crypto';
import { SignJWT } from 'jose';
import { Client } from 'pg';
import { afterAll, expect, test } from 'vitest';
import type { SigningKey } from '#common/keys.ts';
import { hashPassword } from '#common/password/password-hash.ts';
import { accountVoterId } from '../../../../regional-core/identity/account/voter-id.ts';
import { createTestDatabase } from '../../../support/database.ts';
import { createSigningKey } from '../../../support/votes.ts';
import { type Answer, keys, startIdentityUnderTest, untilLimited } from '../identity-under-test.ts';

const password = 'correct horse battery';
const passwordHash = await hashPassword(password);
const database = await createTestDatabase();
const admin = new Client({ connectionString: database.url('postgres') });
await admin.connect();
afterAll(() => admin.end());
const redisPrefix = `test-${randomUUID()}:`;
const identity = await startIdentityUnderTest(database, { redisPrefix });
const neighbour = await startIdentityUnderTest(database, { redisPrefix });

async function createAccount(): Promise<{ email: string; userId: string }> {
  const userId = randomUUID();
  const email = `${userId}@example.com`;
  const voterId = accountVoterId(keys.voterIdKey, email);
  await admin.query('INSERT INTO identity.voter_ids (voter_id) VALUES ($1)', [voterId]);
  await admin.query(
    `INSERT INTO identity.users (user_id, voter_id, email, password_hash) VALUES ($1, $2, $3, $4)`,
    [userId, voterId, email, passwordHash],
  );
  return { email, userId };
}

const post = (path: string, body: unknown, token?: string): Promise<Answer> =>
  identity.ask(path, { body, ...(token === undefined ? {} : { token }) });

async function logIn(): Promise<{ userId: string; access: string; refresh: string }> {
  const { email, userId } = await createAccount();
  const answer = await post('/api/v1/auth/login', { email, password });
  expect(answer.status).toBe(200);
  return { userId, ...tokensOf(answer) };
}

function tokensOf({ body }: Answer): { access: string; refresh: string } {
  return { access: body['access_token'] as string, refresh: body['refresh_token'] as string };
}

const refresh = (token: string): Promise<Answer> =>
  post('/api/v1/auth/refresh', { refresh_token: token });
const validate = (token: string): Promise<Answer> =>
  identity.ask('/api/v1/auth/validate', { token });

test('the access token says exactly what it is for', async () => {
  const { userId, access } = await logIn();
  const claims = JSON.parse(Buffer.from(access.split('.')[1]!, 'base64url').toString());
  expect(Object.keys(claims).toSorted()).toEqual(
    ['acr', 'aud', 'exp', 'iat', 'iss', 'jti', 'session_id', 'sub', 'verified', 'vid'].toSorted(),
  );
  expect(claims).toMatchObject({ sub: userId, verified: true, acr: 'password' });
  expect(claims.exp - claims.iat).toBe(3600);
  expect(Buffer.from(claims.jti, 'base64url')).toHaveLength(16);
  const answer = await validate(access);
  expect([answer.status, answer.body]).toEqual([
    200,
    { valid: true, sub: userId, verified: true, acr: 'password', exp: claims.exp },
  ]);
});

test('device_info is taken and kept nowhere', async () => {
  const { email } = await createAccount();
  const device_info = { user_agent: 'planted agent', device_fingerprint: 'planted print' };
  const answer = await post('/api/v1/auth/login', { email, password, device_info });
  expect(answer.status).toBe(200);
  expect(identity.logged.join('')).not.toContain('planted');
});

test('a refresh token is exchanged once, and the new one works', async () => {
  const { userId, refresh: first } = await logIn();
  const second = await refresh(first);
  expect(second.status).toBe(200);
  expect(second.body).toMatchObject({ user_id: userId, expires_in: 3600, token_type: 'Bearer' });
  expect((await validate(tokensOf(second).access)).status).toBe(200);
  expect((await refresh(tokensOf(second).refresh)).status).toBe(200);
});

test('a refresh token used twice ends the whole login, access tokens too', async () => {
  const { access, refresh: first } = await logIn();
  const second = tokensOf(await refresh(first));
  const reused = await refresh(first);
  expect([reused.status, reused.body['error']]).toEqual([401, 'invalid_token']);
  expect((await refresh(second.refresh)).status).toBe(401);
  expect((await validate(access)).status).toBe(401);
  expect((await validate(second.access)).status).toBe(401);
});

test('of two uses of one refresh token at once at most one is answered', async () => {
  const { refresh: token } = await logIn();
  const answers = await Promise.all([refresh(token), refresh(token), refresh(token)]);
  expect(answers.filter(({ status }) => status === 200).length).toBeLessThanOrEqual(1);
  const winner = answers.find(({ status }) => status === 200);
  if (winner) expect((await refresh(tokensOf(winner).refresh)).status).toBe(401);
});

test('one login that ends leaves the others of the same account alone', async () => {
  const { email } = await createAccount();
  const phone = tokensOf(await post('/api/v1/auth/login', { email, password }));
  const laptop = tokensOf(await post('/api/v1/auth/login', { email, password }));
  await post('/api/v1/auth/logout', {}, phone.access);
  expect((await validate(phone.access)).status).toBe(401);
  expect((await validate(laptop.access)).status).toBe(200);
});

test('a refresh token ends after seven days', async () => {
  const { refresh: token } = await logIn();
  identity.clock.aheadMs = 7 * 24 * 60 * 60 * 1000 + 1000;
  const answer = await refresh(token);
  identity.clock.aheadMs = 0;
  expect([answer.status, answer.body['error']]).toEqual([401, 'invalid_token']);
});

test('after a log-out neither token is good', async () => {
  const { access, refresh: token } = await logIn();
  const answer = await post('/api/v1/auth/logout', { refresh_token: token }, access);
  expect([answer.status, answer.body]).toEqual([200, { status: 'logged_out' }]);
  expect((await validate(access)).status).toBe(401);
  expect((await refresh(token)).status).toBe(401);
});

test('a refresh token alone is enough to log out, none at all is not', async () => {
  const { access, refresh: token } = await logIn();
  expect((await post('/api/v1/auth/logout', { refresh_token: token }, 'expired')).status).toBe(200);
  expect((await validate(access)).status).toBe(401);
  expect((await post('/api/v1/auth/logout', {})).status).toBe(401);
});

test('another process of the region sees a log-out at once', async () => {
  const { access } = await logIn();
  expect((await neighbour.ask('/api/v1/auth/validate', { token: access })).status).toBe(200);
  await post('/api/v1/auth/logout', {}, access);
  const status = async () =>
    (await neighbour.ask('/api/v1/auth/validate', { token: access })).status;
  await expect.poll(status).toBe(401);
});

test('wrong passwords are limited by account, whatever the address', async () => {
  const { email } = await createAccount();
  const attempt = () => post('/api/v1/auth/login', { email, password: 'wrong' });
  const { refusedAt, answer } = await untilLimited(attempt, 110);
  // Not earlier; a little later where Redis took too long and this process counted for itself.
  expect(refusedAt).toBeGreaterThanOrEqual(50);
  expect(refusedAt).toBeLessThan(110);
  expect(answer.body).toMatchObject({ error: 'rate_limit_exceeded', retryable: true });
  expect(String(answer.body['retry_after'])).toBe(answer.headers.get('retry-after'));
}, 60_000);

test('right passwords use up nothing', async () => {
  const { email } = await createAccount();
  const body = { email, password };
  for (let time = 0; time < 60; time++) {
    const answer = await identity.ask('/api/v1/auth/login', { body, address: '192.0.2.7' });
    expect(answer.status).toBe(200);
  }
}, 60_000);

test('more log-ins than can wait are told to come back', async () => {
  const { email } = await createAccount();
  const body = { email, password };
  const answers = await Promise.all(
    Array.from({ length: 90 }, () => identity.ask('/api/v1/auth/login', { body })),
  );
  const refused = answers.filter(({ status }) => status !== 200);
  expect(refused.length).toBeGreaterThan(0);
  for (const answer of refused) {
    // Each attempt holds a place in the account's limit until it is decided.
    expect(['overloaded', 'rate_limit_exceeded']).toContain(answer.body['error']);
    expect(Number(answer.headers.get('retry-after'))).toBeGreaterThan(0);
  }
});

const loginClaims = {
  vid: Buffer.alloc(32).toString('base64url'),
  verified: true,
  acr: 'password',
  session_id: randomUUID(),
  sub: randomUUID(),
  jti: Buffer.alloc(16).toString('base64url'),
};

function forge(key: SigningKey, header: Record<string, unknown>, claims: Record<string, unknown>) {
  const iat = Math.floor(Date.now() / 1000);
  const all = { ...loginClaims, iss: 'vote', aud: 'vote', iat, exp: iat + 3600, ...claims };
  const payload = Object.fromEntries(
    Object.entries(all).filter(([, value]) => value !== undefined),
  );
  return new SignJWT(payload)
    .setProtectedHeader({ alg: 'EdDSA', kid: keys.accessKey.kid, typ: 'at+jwt', ...header })
    .sign(key.privateKey);
}

test.each<[string, SigningKey, Record<string, unknown>, Record<string, unknown>]>([
  ['signed by another key', createSigningKey(), {}, {}],
  ['of an unknown kid', keys.accessKey, { kid: 'unknown' }, {}],
  ['that brings its own key', keys.accessKey, { kid: undefined, jku: 'http://127.0.0.1:1/' }, {}],
  ['signed by the ballot key', keys.ballotKey, { kid: keys.ballotKey.kid }, {}],
  ['of another type', keys.accessKey, { typ: 'ballot+jwt' }, {}],
  ['without a type', keys.accessKey, { typ: undefined }, {}],
  ['of another issuer', keys.accessKey, {}, { iss: 'other' }],
  ['for another audience', keys.accessKey, {}, { aud: 'other' }],
  ['without an audience', keys.accessKey, {}, { aud: undefined }],
  ['that has expired', keys.accessKey, {}, { iat: 1_000_000, exp: 1_003_600 }],
  ['without an end', keys.accessKey, {}, { exp: undefined }],
  ['that lives too long', keys.accessKey, {}, { iat: 1_000_000 }],
  ['that is not good yet', keys.accessKey, {}, { nbf: Math.floor(Date.now() / 1000) + 600 }],
  ['without a voter id', keys.accessKey, {}, { vid: undefined }],
  ['without a jti', keys.accessKey, {}, { jti: undefined }],
  ['of unknown strength', keys.accessKey, {}, { acr: 'magic' }],
])('refuses a token %s', async (_what, key, header, claims) => {
  const answer = await validate(await forge(key, header, claims));
  expect([answer.status, answer.body['error']]).toEqual([401, 'invalid_token']);
});

test('refuses no token, no signature, another algorithm and a token without end', async () => {
  expect((await identity.ask('/api/v1/auth/validate')).status).toBe(401);
  const good = await forge(keys.accessKey, {}, {});
  expect((await validate(good)).status).toBe(200);
  const [, payload] = good.split('.');
  const none = Buffer.from('{"alg":"none","typ":"at+jwt"}').toString('base64url');
  expect((await validate(`${none}.${payload}.`)).status).toBe(401);
  const secret = Buffer.from(keys.accessKey.publicJwk.x, 'base64url');
  const confused = await new SignJWT({ ...loginClaims, iss: 'vote', aud: 'vote' })
    .setProtectedHeader({ alg: 'HS256', kid: keys.accessKey.kid, typ: 'at+jwt' })
    .setIssuedAt()
    .setExpirationTime('1h')
    .sign(secret);
  expect((await validate(confused)).status).toBe(401);
  expect((await validate('a'.repeat(4000))).status).toBe(401);
});
