import { randomBytes } from 'node:crypto';
import { expect, test } from 'vitest';
import { accountVoterId } from '../../../../regional-core/identity/account/voter-id.ts';

test('an address has one voter id under a key, and another under another', () => {
  const key = randomBytes(32);
  const id = accountVoterId(key, 'a@example.com');
  expect(id).toHaveLength(32);
  expect(accountVoterId(key, 'a@example.com')).toEqual(id);
  expect(accountVoterId(key, 'b@example.com')).not.toEqual(id);
  expect(accountVoterId(randomBytes(32), 'a@example.com')).not.toEqual(id);
});
