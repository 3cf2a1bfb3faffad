import { Client } from 'pg';
import { afterAll, expect, test } from 'vitest';
import { createTestDatabase } from '../../../support/database.ts';
import { startIdentityUnderTest } from '../identity-under-test.ts';
import { startMailServer } from '../mail-server.ts';

const password = 'correct horse battery';
const database = await createTestDatabase();
const mailServer = await startMailServer();
afterAll(() => mailServer.close());
const admin = new Client({ connectionString: database.url('postgres') });
await admin.connect();
afterAll(() => admin.end());
const identity = await startIdentityUnderTest(database, { smtpUrl: mailServer.url });

function register(email: string, chosen = password) {
  return identity.ask('/api/v1/auth/register', { body: { email, password: chosen } });
}

function verify(token: string | undefined) {
  return identity.ask('/api/v1/auth/verify', { body: { token } });
}

function logIn(email: string, chosen = password) {
  return identity.ask('/api/v1/auth/login', { body: { email, password: chosen } });
}

/** The tokens mailed to an address, oldest first. */
function tokensFor(email: string): (string | undefined)[] {
  return mailServer.mails
    .filter((mail) => [mail.to].flat().some((to) => to?.text === email))
    .map((mail) => /\/verify\?token=([\w-]{43})$/m.exec(mail.text ?? '')?.[1]);
}

test('who registers gets a link; following it makes the account, and the login works', async () => {
  const answer = await register('New.Voter@Example.com');
  expect([answer.status, answer.body]).toEqual([202, { status: 'verification_sent' }]);
  expect(answer.headers.get('cache-control')).toBe('no-store');
  const [token] = tokensFor('new.voter@example.com');
  const mail = mailServer.mails.at(-1);
  expect(mail?.text).toContain(`http://localhost/verify?token=${token}`);
  expect(mail?.html).toContain(`href="http://localhost/verify?token=${token}"`);

  const verified = await verify(token);
  expect([verified.status, verified.body]).toEqual([200, { status: 'verified' }]);
  const login = await logIn('new.voter@example.COM');
  expect(login.status).toBe(200);
  expect(login.body).toEqual({
    user_id: expect.stringMatching(/^[0-9a-f-]{36}$/),
    access_token: expect.any(String),
    refresh_token: expect.stringMatching(/^[\w-]{43}$/),
    expires_in: 3600,
    token_type: 'Bearer',
  });
});

test('a link is good once', async () => {
  await register('once@example.com');
  const [token] = tokensFor('once@example.com');
  expect((await verify(token)).status).toBe(200);
  const again = await verify(token);
  expect([again.status, again.body['error']]).toEqual([422, 'invalid_verification']);
});

test('a link is good for a day', async () => {
  await register('late@example.com');
  const [token] = tokensFor('late@example.com');
  identity.clock.aheadMs = 24 * 60 * 60 * 1000 + 1;
  const answer = await verify(token);
  identity.clock.aheadMs = 0;
  expect([answer.status, answer.body['error']]).toEqual([422, 'invalid_verification']);
});

test('of two links clicked at once for one address exactly one makes the account', async () => {
  await register('double@example.com');
  await register('double@example.com', 'another password');
  const answers = await Promise.all(tokensFor('double@example.com').map(verify));
  expect(answers.map(({ status }) => status).toSorted((a, b) => a - b)).toEqual([200, 422]);
  const { rows } = await admin.query('SELECT FROM identity.users WHERE email = $1', [
    'double@example.com',
  ]);
  expect(rows).toHaveLength(1);
});

test('a later registration by somebody else does not change what a link does', async () => {
  await register('victim@example.com');
  await register('victim@example.com', 'the attacker knows this');
  await verify(tokensFor('victim@example.com')[0]);
  expect((await logIn('victim@example.com')).status).toBe(200);
  const attacker = await logIn('victim@example.com', 'the attacker knows this');
  expect([attacker.status, attacker.body['error']]).toEqual([401, 'invalid_credentials']);
});

test('registering an address that has an account answers the same and changes nothing', async () => {
  await register('known@example.com');
  await verify(tokensFor('known@example.com')[0]);
  const fresh = await register('fresh@example.com');
  const again = await register('known@example.com', 'not the password');
  expect([again.status, again.body]).toEqual([fresh.status, fresh.body]);
  const mail = mailServer.mails.at(-1);
  expect(mail?.subject).toBe('You already have an account');
  expect(tokensFor('known@example.com')).toHaveLength(2);
  expect(tokensFor('known@example.com')[1]).toBeUndefined();
  expect((await logIn('known@example.com')).status).toBe(200);
});

test('only who knows the password learns that the address is not verified yet', async () => {
  await register('waiting@example.com');
  const right = await logIn('waiting@example.com');
  expect([right.status, right.body['error']]).toEqual([403, 'email_not_verified']);
  const wrong = await logIn('waiting@example.com', 'a wrong password');
  expect([wrong.status, wrong.body['error']]).toEqual([401, 'invalid_credentials']);
  const nobody = await logIn('nobody@example.com', 'a wrong password');
  expect(nobody.body['message']).toBe(wrong.body['message']);
  expect(nobody.status).toBe(401);
});

test('who deletes the account and registers again is the same voter', async () => {
  const voterId = async (): Promise<Buffer> => {
    const { rows } = await admin.query<{ voter_id: Buffer }>(
      'SELECT voter_id FROM identity.users WHERE email = $1',
      ['back@example.com'],
    );
    return rows[0]!.voter_id;
  };
  await register('back@example.com');
  await verify(tokensFor('back@example.com')[0]);
  const first = await voterId();
  await admin.query('DELETE FROM identity.users WHERE email = $1', ['back@example.com']);
  const kept = await admin.query('SELECT FROM identity.voter_ids WHERE voter_id = $1', [first]);
  expect(kept.rows).toHaveLength(1);
  await register('back@example.com');
  await verify(tokensFor('back@example.com')[1]);
  expect(await voterId()).toEqual(first);
});

test('one mailbox gets at most five mails an hour, and the answers do not tell', async () => {
  const answers = [];
  for (let time = 0; time < 7; time++) answers.push(await register('flooded@example.com'));
  expect(answers.map(({ status }) => status)).toEqual(Array(7).fill(202));
  expect(tokensFor('flooded@example.com')).toHaveLength(5);
});

test.each([
  [{ email: 'a@b', password }, 'an address without a domain'],
  [{ email: 'a@example.com\r\nBcc: b@example.com', password }, 'a second header'],
  [{ email: 'a@example.com,b@example.com', password }, 'two addresses'],
  [{ email: 'a@example.com', password: 'too short' }, 'a short password'],
  [{ email: 'a@example.com', password: 'x'.repeat(129) }, 'a password too long'],
  [{ email: 'a@example.com', password, admin: true }, 'a member too many'],
  [{ email: 'a@example.com' }, 'no password'],
  [{ email: ['a@example.com'], password }, 'an address that is no text'],
])('refuses a registration %j: %s', async (body, _what) => {
  const answer = await identity.ask('/api/v1/auth/register', { body });
  expect([answer.status, answer.body['error']]).toEqual([400, 'invalid_request']);
});

test('what is not a small plain JSON object is refused by its kind', async () => {
  const path = '/api/v1/auth/register';
  const ask = (body: string, headers: Record<string, string> = {}) =>
    identity.ask(path, { body, headers });
  expect((await ask('{"email":"a@example.com","email":"b@example.com"}')).status).toBe(400);
  expect((await ask('{"__proto__":{}}')).status).toBe(400);
  expect((await ask('email=a', { 'content-type': 'text/plain' })).status).toBe(415);
  expect((await ask('{}', { 'content-encoding': 'gzip' })).status).toBe(415);
  expect((await ask(`{"email":"${'a'.repeat(2048)}"}`)).status).toBe(413);
  const wrongMethod = await identity.ask(path);
  expect([wrongMethod.status, wrongMethod.body['error']]).toEqual([405, 'method_not_allowed']);
});

test('only the edge is answered', async () => {
  const answer = await identity.ask('/api/v1/sessions', { headers: { 'x-origin-secret': 'no' } });
  expect([answer.status, answer.body['error']]).toEqual([403, 'origin_only']);
});

test('no log line holds an address, a password or a token', async () => {
  await register('planted.address@example.com', 'planted password');
  await logIn('planted.address@example.com', 'planted password');
  const log = identity.logged.join('');
  expect(log).not.toMatch(/planted/);
  for (const token of tokensFor('planted.address@example.com')) expect(log).not.toContain(token);
});
