import { Client } from 'pg';
import { afterAll, expect, test } from 'vitest';
import { HOUR_MS, sleep } from '#common/clock.ts';
import { createTestDatabase } from '../../../support/database.ts';
import { insertSession, startIdentityUnderTest } from '../identity-under-test.ts';

const database = await createTestDatabase();
const admin = new Client({ connectionString: database.url('postgres') });
await admin.connect();
afterAll(() => admin.end());
const identity = await startIdentityUnderTest(database);
const insert = (session: Parameters<typeof insertSession>[1]): Promise<string> =>
  insertSession((text, values) => admin.query(text, values), session);

test('a session is shown to everybody, cacheable for a second', async () => {
  const sessionId = await insert({ eligibility: ['code'] });
  const answer = await identity.ask(`/r/east/api/v1/sessions/${sessionId}`);
  expect(answer.status).toBe(200);
  expect(answer.headers.get('cache-control')).toBe('public, max-age=1');
  expect(answer.headers.get('content-type')).toMatch(/^application\/json/);
  expect(answer.body).toEqual({
    session_id: sessionId,
    title: 'A final',
    state: 'open',
    opens_at: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/),
    closes_at: expect.stringMatching(/Z$/),
    options: [
      { option_id: 'red', label: 'Red' },
      { option_id: 'blue', label: 'Blue' },
    ],
    eligibility: [{ policy: 'code' }],
    results_policy: 'live',
    version: 1,
    results_url: 'http://results.localhost',
  });
});

test('open and scheduled sessions are listed, newest first, closed ones not', async () => {
  const nowMs = Date.now();
  const open = await insert({});
  const scheduled = await insert({ opensAtMs: nowMs + HOUR_MS, closesAtMs: nowMs + 2 * HOUR_MS });
  const closed = await insert({ opensAtMs: nowMs - 2 * HOUR_MS, closesAtMs: nowMs - HOUR_MS });
  await sleep(1500);
  const answer = await identity.ask('/api/v1/sessions');
  expect(answer.status).toBe(200);
  const listed = answer.body['sessions'] as { session_id: string; state: string }[];
  expect(listed.slice(0, 2).map(({ session_id, state }) => [session_id, state])).toEqual([
    [scheduled, 'scheduled'],
    [open, 'open'],
  ]);
  expect(listed.map(({ session_id }) => session_id)).not.toContain(closed);
});

test('a change of the row is seen within about a second', async () => {
  const nowMs = Date.now();
  const sessionId = await insert({ opensAtMs: nowMs + HOUR_MS, closesAtMs: nowMs + 2 * HOUR_MS });
  expect((await identity.ask(`/api/v1/sessions/${sessionId}`)).body['title']).toBe('A final');
  await admin.query(
    "UPDATE votes.voting_sessions SET title = 'The final', version = 2 WHERE session_id = $1",
    [sessionId],
  );
  const title = async () => (await identity.ask(`/api/v1/sessions/${sessionId}`)).body['title'];
  await expect.poll(title, { timeout: 5000 }).toBe('The final');
});
