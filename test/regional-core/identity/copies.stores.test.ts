import { randomBytes, randomUUID } from 'node:crypto';
import { afterAll, describe, expect, test } from 'vitest';
import { HOUR_MS, systemClock } from '#common/clock.ts';
import { createCopies } from '#common/copies.ts';
import { createLog } from '#common/log.ts';
import { createPool } from '#common/postgres.ts';
import { verify } from '../../../regional-core/identity/account/verify.ts';
import { keepSecretIn } from '../../../regional-core/identity/ballot/keep-secret.ts';
import { SessionSecrets } from '../../../regional-core/identity/ballot/session-secrets.ts';
import { insertRegistration } from '../../../regional-core/identity/sql/insert-registration.ts';
import {
  newOpaqueToken,
  opaqueTokenHash,
} from '../../../regional-core/identity/token/opaque-token.ts';
import { createTestDatabase } from '../../support/database.ts';

const database = await createTestDatabase();
const pool = createPool({
  url: database.url('identity'),
  applicationName: 'test',
  connectionsMax: 4,
  log: createLog({ service: 'test' }, 'error'),
});
afterAll(() => pool.end());

let nowMs = 0;
/** No copy follows this database: one that is asked for never has anything. */
const copiesOf = (copiesMin: number) =>
  createCopies({
    pool,
    copiesMin,
    // Three seconds pass at once.
    clock: { after: (_ms, act) => systemClock.after(0, act), monotonicMs: () => (nowMs += 2000) },
    onLate: () => undefined,
  });

describe('while the copies lag', () => {
  test('a secret is not used, and the same one is once they have it', async () => {
    const wrappingKey = randomBytes(32);
    const sessionId = randomUUID();
    const late = new SessionSecrets(wrappingKey, keepSecretIn(copiesOf(1)));
    await expect(late.get(sessionId)).rejects.toMatchObject({ code: 'not_ready' });
    // Not even by a process that finds it in the table.
    await expect(late.get(sessionId)).rejects.toMatchObject({ code: 'not_ready' });
    const first = await new SessionSecrets(wrappingKey, keepSecretIn(copiesOf(0))).get(sessionId);
    const other = await new SessionSecrets(wrappingKey, keepSecretIn(copiesOf(0))).get(sessionId);
    expect(other.equals(first)).toBe(true);
  });

  test('a link is followed with unknown outcome, may be followed again, and then is spent', async () => {
    const token = newOpaqueToken();
    const voterIdKey = randomBytes(32);
    await insertRegistration(pool, {
      tokenHash: opaqueTokenHash(token),
      email: 'slow@example.com',
      passwordHash: 'a hash',
      expiresAtMs: Date.now() + HOUR_MS,
    });
    const follow = (copiesMin: number) =>
      verify({ pool, copies: copiesOf(copiesMin), clock: systemClock, voterIdKey }, token);
    await expect(follow(1)).rejects.toMatchObject({ code: 'outcome_unknown' });
    await expect(follow(1)).rejects.toMatchObject({ code: 'outcome_unknown' });
    await follow(0);
    await expect(follow(0)).rejects.toMatchObject({ code: 'invalid_verification' });
    const { rows } = await pool.query(
      "SELECT password_hash FROM identity.users WHERE email = 'slow@example.com'",
    );
    expect(rows).toEqual([{ password_hash: 'a hash' }]);
  });
});
