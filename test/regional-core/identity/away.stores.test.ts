import { createSecretKey } from 'node:crypto';
import { Client } from 'pg';
import { afterAll, beforeEach, expect, inject, test } from 'vitest';
import { sleep } from '#common/clock.ts';
import { printCodes } from '../../../regional-core/identity/ballot/voting-code.ts';
import { createTestDatabase } from '../../support/database.ts';
import { createCuttableProxy } from './cuttable-proxy.ts';
import {
  insertSession,
  keys,
  startIdentityUnderTest,
  untilLimited,
} from './identity-under-test.ts';

const database = await createTestDatabase();
const admin = new Client({ connectionString: database.url('postgres') });
await admin.connect();
afterAll(() => admin.end());
const sessionId = await insertSession((text, values) => admin.query(text, values));

async function through(url: string) {
  const target = new URL(url);
  const proxy = await createCuttableProxy(target.hostname, Number(target.port));
  afterAll(() => proxy.close());
  target.port = String(proxy.port);
  return { proxy, url: target.href };
}

const postgres = await through(database.url('identity'));
const redis = await through(inject('stores').redisUrl);
const identity = await startIdentityUnderTest(database, {
  postgresUrl: postgres.url,
  redisUrl: redis.url,
});
const codes = printCodes(createSecretKey(keys.votingCodeKey), sessionId, 3);
const open = (code: string, address = '203.0.113.1') =>
  identity.ask(`/api/v1/sessions/${sessionId}/ballot`, { body: { code }, address });

beforeEach(() => {
  postgres.proxy.mend();
  redis.proxy.mend();
});

test('with Postgres away the first ballot of a session is opened all the same', async () => {
  // The loop fetches secrets ahead: give it its second.
  await sleep(1500);
  postgres.proxy.cut();
  const code = codes.next().value as string;
  const first = await open(code);
  expect(first.status).toBe(200);
  expect((await open(code)).status).toBe(200);
  expect((await identity.ask('/api/v1/sessions')).status).toBe(200);
});

test('with Postgres away what needs it is refused as retryable, and works again after', async () => {
  const logIn = () =>
    identity.ask('/api/v1/auth/login', { body: { email: 'a@example.com', password: 'wrong' } });
  postgres.proxy.cut();
  const away = await logIn();
  expect(away.status).toBe(503);
  expect(away.body).toMatchObject({ error: 'not_ready', retryable: true });
  expect(Number(away.headers.get('retry-after'))).toBeGreaterThan(0);
  const unknown = await identity.ask('/api/v1/sessions/00000000-0000-4000-8000-000000000000');
  expect(unknown.status).toBe(503);
  postgres.proxy.mend();
  expect((await logIn()).status).toBe(401);
});

test('with Redis away ballots are opened and wrong codes still limited', async () => {
  redis.proxy.cut();
  expect((await open(codes.next().value as string)).status).toBe(200);
  const attempt = () => open('AAAAA-AAAAA-AAAAA-AAAAA', '203.0.113.2');
  const { refusedAt } = await untilLimited(attempt, 40);
  expect(refusedAt).toBeGreaterThanOrEqual(15);
  expect(refusedAt).toBeLessThan(40);
  expect((await open(codes.next().value as string, '203.0.113.2')).status).toBe(200);
});
