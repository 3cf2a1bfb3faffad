import { expect, test } from 'vitest';
import { PasswordHasher } from '../../../admin-portal/api/password.ts';

const passwords = new PasswordHasher(() => 0);

test('only the very password is right', async () => {
  const kept = await passwords.hash('påss word');
  expect(await passwords.verify('påss word', kept)).toBe(true);
  expect(await passwords.verify('påss word ', kept)).toBe(false);
  expect(await passwords.verify('', kept)).toBe(false);
});

test('no account is as wrong as a wrong password', async () => {
  expect(await passwords.verify('secret', undefined)).toBe(false);
});

test('what is no such hash in the database is an error, not a wrong password', async () => {
  await expect(passwords.verify('secret', '$2b$10$abc')).rejects.toThrow('not an argon2id hash');
});

test('two are hashed at a time, sixteen wait, the next is refused before it costs', async () => {
  const busy = new PasswordHasher(() => 0);
  const results = await Promise.allSettled(Array.from({ length: 20 }, () => busy.hash('secret')));
  const refused = results.filter(({ status }) => status === 'rejected');
  expect(refused).toHaveLength(2);
  expect(refused[0]).toMatchObject({ reason: { code: 'overloaded', retryAfterS: 2 } });
  await expect(busy.hash('secret')).resolves.toContain('$argon2id$');
});
