import { expect, test } from 'vitest';
import { createTestDatabase } from '../../../support/database.ts';
import { startIdentityUnderTest } from '../identity-under-test.ts';

const identity = await startIdentityUnderTest(await createTestDatabase());

test('without a mail server registering is refused as retryable, and the log has no address', async () => {
  const answer = await identity.ask('/api/v1/auth/register', {
    body: { email: 'planted@example.com', password: 'correct horse battery' },
  });
  expect(answer.status).toBe(503);
  expect(answer.body).toMatchObject({ error: 'not_ready', retryable: true });
  expect(Number(answer.headers.get('retry-after'))).toBeGreaterThan(0);
  expect(identity.logged.join('')).toContain('mail not sent: ESOCKET');
  expect(identity.logged.join('')).not.toContain('planted');
});
