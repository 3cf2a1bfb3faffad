import { createSecretKey, randomBytes, randomUUID } from 'node:crypto';
import { createLocalJWKSet, jwtVerify } from 'jose';
import { Client } from 'pg';
import { afterAll, expect, test } from 'vitest';
import { DAY_MS, HOUR_MS } from '#common/clock.ts';
import { verifyBallot } from '#common/contracts/ballot-token.ts';
import { importPublicKeys } from '#common/keys.ts';
import { printCodes } from '../../../../regional-core/identity/ballot/voting-code.ts';
import {
  newAccessClaims,
  signAccessToken,
} from '../../../../regional-core/identity/token/access-token.ts';
import { createTestDatabase } from '../../../support/database.ts';
import {
  type Answer,
  insertSession,
  keys,
  startIdentityUnderTest,
  untilLimited,
} from '../identity-under-test.ts';

const database = await createTestDatabase();
const admin = new Client({ connectionString: database.url('postgres') });
await admin.connect();
afterAll(() => admin.end());
const identity = await startIdentityUnderTest(database);
const otherRegion = await startIdentityUnderTest(database, { region: 'west' });

const createSession = (session?: Parameters<typeof insertSession>[1]): Promise<string> =>
  insertSession((text, values) => admin.query(text, values), session);

const codeKey = createSecretKey(keys.votingCodeKey);
function codesOf(sessionId: string): Iterator<string> {
  return printCodes(codeKey, sessionId, 7);
}
const nextCode = (codes: Iterator<string>): string => codes.next().value as string;

const open = (sessionId: string, code: string, address?: string): Promise<Answer> =>
  identity.ask(`/api/v1/sessions/${sessionId}/ballot`, {
    body: { code },
    ...(address === undefined ? {} : { address }),
  });

const publicKeys = importPublicKeys([keys.ballotKey.publicJwk]);
function ballotOf({ body }: Answer) {
  const nowS = Math.floor(Date.now() / 1000);
  const verdict = verifyBallot(body['ballot_token'] as string, publicKeys, nowS, 0);
  if (!verdict.ok) throw new Error(`the ballot is ${verdict.reason}`);
  return verdict.ballot;
}

function accessToken(changes: { vid?: string; verified?: boolean } = {}): Promise<string> {
  const login = {
    sub: randomUUID(),
    vid: randomBytes(32).toString('base64url'),
    verified: true,
    acr: 'password',
    session_id: randomUUID(),
    ...changes,
  } as const;
  return signAccessToken(newAccessClaims(login, Date.now()), keys.accessKey);
}

test('a code opens a ballot with all that voting needs', async () => {
  const sessionId = await createSession();
  const answer = await open(sessionId, nextCode(codesOf(sessionId)));
  expect(answer.status).toBe(200);
  expect(answer.headers.get('cache-control')).toBe('no-store');
  expect(answer.body).toEqual({
    ballot_token: expect.any(String),
    expires_in: expect.any(Number),
    session: {
      session_id: sessionId,
      title: 'A final',
      state: 'open',
      opens_at: expect.stringMatching(/Z$/),
      version: 1,
    },
    options: [
      { option_id: 'red', label: 'Red' },
      { option_id: 'blue', label: 'Blue' },
    ],
    closes_at: expect.stringMatching(/Z$/),
    regions: [
      { name: 'east', url: 'http://localhost/r/east' },
      { name: 'west', url: 'http://localhost/r/west' },
    ],
  });
  expect(ballotOf(answer)).toMatchObject({
    session_id: sessionId,
    acr: 'code',
    challenge: 'not_asked',
  });
  const closesAtMs = Date.parse(answer.body['closes_at'] as string);
  expect(ballotOf(answer).exp).toBe(Math.floor((closesAtMs + 5000) / 1000));
});

test('the same code opens the same ballot, also in another region and typed otherwise', async () => {
  const sessionId = await createSession();
  const codes = codesOf(sessionId);
  const code = nextCode(codes);
  const first = ballotOf(await open(sessionId, code));
  const again = ballotOf(await open(sessionId, code.toLowerCase().replaceAll('-', ' ')));
  const elsewhere = ballotOf(
    await otherRegion.ask(`/r/west/api/v1/sessions/${sessionId}/ballot`, { body: { code } }),
  );
  expect([again.vote_id, elsewhere.vote_id]).toEqual([first.vote_id, first.vote_id]);
  expect(again.jti).not.toBe(first.jti);
  const neighbour = ballotOf(await open(sessionId, nextCode(codes)));
  expect(neighbour.vote_id).not.toBe(first.vote_id);
});

test('an account has one vote id in a session, and another in the next', async () => {
  const [one, two] = [await createSession(), await createSession()];
  const vid = randomBytes(32).toString('base64url');
  const ballot = async (sessionId: string) =>
    ballotOf(
      await identity.ask(`/api/v1/sessions/${sessionId}/ballot`, {
        method: 'POST',
        token: await accessToken({ vid }),
      }),
    );
  const first = await ballot(one);
  expect(first.acr).toBe('password');
  expect((await ballot(one)).vote_id).toBe(first.vote_id);
  expect((await ballot(two)).vote_id).not.toBe(first.vote_id);
});

test('a session created a moment ago is found at once, in every process', async () => {
  const sessionId = await createSession();
  const answers = await Promise.all(
    [identity, otherRegion].map(({ ask }) => ask(`/api/v1/sessions/${sessionId}`)),
  );
  expect(answers.map(({ status }) => status)).toEqual([200, 200]);
});

test('a ballot is given ahead of the opening, and ends within a day', async () => {
  const opensAtMs = Date.now() + HOUR_MS;
  const sessionId = await createSession({ opensAtMs, closesAtMs: opensAtMs + 3 * DAY_MS });
  const answer = await open(sessionId, nextCode(codesOf(sessionId)));
  expect(answer.status).toBe(200);
  expect(answer.body['session']).toMatchObject({ state: 'scheduled' });
  expect(answer.body['expires_in']).toBeLessThanOrEqual(86_400);
  expect(answer.body['expires_in']).toBeGreaterThan(86_390);
});

test('after closing a ballot is for reading, for an hour', async () => {
  const nowMs = Date.now();
  const sessionId = await createSession({
    opensAtMs: nowMs - 2 * HOUR_MS,
    closesAtMs: nowMs - HOUR_MS,
  });
  const answer = await open(sessionId, nextCode(codesOf(sessionId)));
  expect(answer.status).toBe(200);
  expect(answer.body['session']).toMatchObject({ state: 'closed' });
  expect(answer.body['expires_in']).toBe(3600);
});

test('who is not admitted by the session is told so', async () => {
  const codesOnly = await createSession({ eligibility: ['code'] });
  const accountsOnly = await createSession({ eligibility: ['account'] });
  const withToken = await identity.ask(`/api/v1/sessions/${codesOnly}/ballot`, {
    body: {},
    token: await accessToken(),
  });
  expect([withToken.status, withToken.body['error']]).toEqual([403, 'not_eligible']);
  const withCode = await open(accountsOnly, nextCode(codesOf(accountsOnly)));
  expect([withCode.status, withCode.body['error']]).toEqual([403, 'not_eligible']);
  const unverified = await identity.ask(`/api/v1/sessions/${accountsOnly}/ballot`, {
    body: {},
    token: await accessToken({ verified: false }),
  });
  expect([unverified.status, unverified.body['error']]).toEqual([403, 'not_eligible']);
});

test('without code or token there is no ballot', async () => {
  const sessionId = await createSession();
  const path = `/api/v1/sessions/${sessionId}/ballot`;
  const neither = await identity.ask(path, { body: {} });
  expect([neither.status, neither.body['error']]).toEqual([401, 'invalid_token']);
  const forged = await identity.ask(path, { body: {}, token: 'a.b.c' });
  expect([forged.status, forged.body['error']]).toEqual([401, 'invalid_token']);
  const unknownMember = await identity.ask(path, { body: { vote_id: randomUUID() } });
  expect([unknownMember.status, unknownMember.body['error']]).toEqual([400, 'invalid_request']);
});

test.each([randomUUID(), 'not-a-session', '%2e%2e'])('there is no session %s', async (id) => {
  const answer = await open(id, 'AAAAA-AAAAA-AAAAA-AAAAA');
  expect([answer.status, answer.body['error']]).toEqual([404, 'not_found']);
});

test('a code of another session is not valid', async () => {
  const [one, two] = [await createSession(), await createSession()];
  const answer = await open(one, nextCode(codesOf(two)));
  expect([answer.status, answer.body['error']]).toEqual([422, 'invalid_code']);
});

test('wrong codes are limited by address, and right ones always pass', async () => {
  const sessionId = await createSession();
  const codes = codesOf(sessionId);
  const attempt = () => open(sessionId, 'AAAAA-AAAAA-AAAAA-AAAAA', '198.51.100.9');
  const { refusedAt, answer } = await untilLimited(attempt, 40);
  expect(refusedAt).toBeGreaterThanOrEqual(15);
  expect(refusedAt).toBeLessThan(40);
  expect(answer.body).toMatchObject({ error: 'rate_limit_exceeded', retryable: true });
  expect((await open(sessionId, nextCode(codes), '198.51.100.9')).status).toBe(200);
  expect((await open(sessionId, 'AAAAA-AAAAA-AAAAA-AAAAA', '198.51.100.10')).status).toBe(422);
});

test('everybody can verify a ballot by the JWKS and by the key in Postgres', async () => {
  const jwks = await identity.ask('/.well-known/jwks.json');
  expect(jwks.status).toBe(200);
  const published = jwks.body['keys'] as Record<string, unknown>[];
  expect(published.map(({ kid }) => kid)).toEqual(
    [keys.accessKey, keys.ballotKey, keys.receiptKey].map(({ kid }) => kid),
  );
  for (const key of published) {
    expect(Object.keys(key).toSorted()).toEqual(['alg', 'crv', 'kid', 'kty', 'use', 'x']);
  }
  const sessionId = await createSession();
  const answer = await open(sessionId, nextCode(codesOf(sessionId)));
  const token = answer.body['ballot_token'] as string;
  const verified = await jwtVerify(token, createLocalJWKSet(jwks.body as never));
  expect(verified.payload['session_id']).toBe(sessionId);
  const { rows } = await admin.query('SELECT kid, x FROM votes.ballot_keys');
  expect(rows).toEqual([{ kid: keys.ballotKey.kid, x: keys.ballotKey.publicJwk.x }]);
});

test('the ballot does not say who votes', async () => {
  const sessionId = await createSession();
  const vid = randomBytes(32).toString('base64url');
  const token = await accessToken({ vid });
  const answer = await identity.ask(`/api/v1/sessions/${sessionId}/ballot`, { body: {}, token });
  const payload = (answer.body['ballot_token'] as string).split('.')[1]!;
  expect(Object.keys(JSON.parse(Buffer.from(payload, 'base64url').toString())).toSorted()).toEqual(
    ['acr', 'aud', 'challenge', 'exp', 'iss', 'jti', 'session_id', 'vote_id'].toSorted(),
  );
  expect(Buffer.from(payload, 'base64url').toString()).not.toContain(vid);
});
