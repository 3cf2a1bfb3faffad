import { createSecretKey } from 'node:crypto';
import { Client } from 'pg';
import { afterAll, expect, test } from 'vitest';
import { HOUR_MS } from '#common/clock.ts';
import { printCodes } from '../../../regional-core/identity/ballot/voting-code.ts';
import { createTestDatabase } from '../../support/database.ts';
import { insertSession, keys, startIdentityUnderTest } from './identity-under-test.ts';

const database = await createTestDatabase();
const admin = new Client({ connectionString: database.url('postgres') });
await admin.connect();
afterAll(() => admin.end());
const identity = await startIdentityUnderTest(database);
const otherRegion = await startIdentityUnderTest(database, { region: 'west' });

async function closedSession() {
  const nowMs = Date.now();
  const sessionId = await insertSession((text, values) => admin.query(text, values), {
    opensAtMs: nowMs - 2 * HOUR_MS,
    closesAtMs: nowMs - HOUR_MS,
  });
  const code = printCodes(createSecretKey(keys.votingCodeKey), sessionId, 5).next().value as string;
  const open = (from = identity) =>
    from.ask(`/api/v1/sessions/${sessionId}/ballot`, { body: { code } });
  const secrets = async () =>
    (await admin.query('SELECT FROM identity.session_secrets WHERE session_id = $1', [sessionId]))
      .rowCount;
  const finalise = () =>
    admin.query(
      `UPDATE votes.voting_sessions SET final_at = now(), final_statement = ''
       WHERE session_id = $1`,
      [sessionId],
    );
  return { sessionId, open, secrets, finalise };
}

test('after the final result there is no ballot, in no region, and no secret', async () => {
  const { open, secrets, finalise } = await closedSession();
  expect((await open()).status).toBe(200);
  expect((await open(otherRegion)).status).toBe(200);
  expect(await secrets()).toBe(1);
  await finalise();
  await expect.poll(secrets, { timeout: 15_000 }).toBe(0);
  for (const from of [identity, otherRegion]) {
    await expect.poll(async () => (await open(from)).status, { timeout: 5000 }).toBe(410);
    const { body } = await open(from);
    expect(body).toMatchObject({
      error: 'session_closed',
      message: 'The result is final and ballots are no more; your receipt speaks for your vote.',
      retryable: false,
    });
  }
  expect(await secrets()).toBe(0);
});

test('a process that has not heard of the final result makes no new secret', async () => {
  const { sessionId, open, secrets, finalise } = await closedSession();
  // Known as a session, and its secret never asked for here.
  await identity.ask(`/api/v1/sessions/${sessionId}`);
  await finalise();
  expect((await open()).status).toBe(410);
  expect(await secrets()).toBe(0);
});

test('a session that is closed and not final keeps its secret', async () => {
  const { open, secrets } = await closedSession();
  await open();
  const other = await closedSession();
  await other.open();
  await other.finalise();
  await expect.poll(other.secrets, { timeout: 15_000 }).toBe(0);
  expect(await secrets()).toBe(1);
  expect((await open()).status).toBe(200);
});
