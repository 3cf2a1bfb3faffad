import { randomBytes, randomUUID } from 'node:crypto';
import { expect, test } from 'vitest';
import { HOUR_MS, sleep } from '#common/clock.ts';
import type { Pool } from '#common/postgres.ts';
import { revokeLogin } from '../../../../regional-core/identity/sql/revoke-login.ts';
import { rotateRefreshToken } from '../../../../regional-core/identity/sql/rotate-refresh-token.ts';
import {
  type NewRefreshToken,
  startLogin,
} from '../../../../regional-core/identity/sql/start-login.ts';
import { createTestDatabase } from '../../../support/database.ts';

const database = await createTestDatabase();
const pool = database.pool('identity');
const superuser = database.pool('postgres');

function newToken(): NewRefreshToken {
  const expiresAtMs = Date.now() + HOUR_MS;
  const tokenHash = randomBytes(32);
  return { tokenHash, expiresAtMs, accessJti: randomUUID(), accessExpiresAtMs: expiresAtMs };
}

test('a log-out during a refresh revokes the access token that the refresh gives', async () => {
  const [userId, sessionId] = [randomUUID(), randomUUID()];
  const voterId = randomBytes(32);
  await superuser.query('INSERT INTO identity.voter_ids (voter_id) VALUES ($1)', [voterId]);
  await superuser.query(
    'INSERT INTO identity.users (user_id, voter_id, email, password_hash) VALUES ($1, $2, $3, $4)',
    [userId, voterId, `${userId}@example.com`, ''],
  );
  const [first, second] = [newToken(), newToken()];
  await startLogin(pool, { sessionId, userId, acr: 'password' }, first);

  const refreshing = await pool.connect();
  await refreshing.query('BEGIN');
  const rotated = await rotateRefreshToken(refreshing as unknown as Pool, first.tokenHash, second);
  expect(rotated).toBe(true);
  const revoking = revokeLogin(pool, sessionId, Date.now());
  await sleep(100);
  await refreshing.query('COMMIT');
  refreshing.release();

  const revoked = (await revoking).map(({ jti }) => jti);
  expect(new Set(revoked)).toEqual(new Set([first.accessJti, second.accessJti]));
  expect(await rotateRefreshToken(pool, second.tokenHash, newToken())).toBe(false);
});
