import { argon2Sync } from 'node:crypto';
import { expect, test } from 'vitest';
import { PasswordHasher } from '../../../admin-portal/api/password.ts';

const passwords = new PasswordHasher(() => 0);

test('a hash is argon2id with 19 MiB and two passes, salted anew each time', async () => {
  const [first, second] = [await passwords.hash('secret'), await passwords.hash('secret')];
  expect(first).toMatch(/^\$argon2id\$v=19\$m=19456,t=2,p=1\$[\w+/]{22}\$[\w+/]{43}$/);
  expect(first).not.toBe(second);
});

test('only the very password is right', async () => {
  const kept = await passwords.hash('påss word');
  expect(await passwords.verify('påss word', kept)).toBe(true);
  expect(await passwords.verify('påss word ', kept)).toBe(false);
  expect(await passwords.verify('', kept)).toBe(false);
});

test('a hash made with other costs is verified with those', async () => {
  const nonce = Buffer.alloc(16, 7);
  const cost = { memory: 64, passes: 1, parallelism: 1, tagLength: 32 };
  const hash = argon2Sync('argon2id', { message: 'secret', nonce, ...cost });
  const plain = (bytes: Buffer): string => bytes.toString('base64').replaceAll('=', '');
  const kept = `$argon2id$v=19$m=64,t=1,p=1$${plain(nonce)}$${plain(hash)}`;
  expect(await passwords.verify('secret', kept)).toBe(true);
  expect(await passwords.verify('secret', kept.replace('t=1', 't=2'))).toBe(false);
});

test('no account is as wrong as a wrong password', async () => {
  expect(await passwords.verify('secret', undefined)).toBe(false);
});

test('what is no such hash in the database is an error, not a wrong password', async () => {
  await expect(passwords.verify('secret', '$2b$10$abc')).rejects.toThrow('not argon2id PHC');
});

test('two are hashed at a time, sixteen wait, the next is refused before it costs', async () => {
  const busy = new PasswordHasher(() => 0);
  const results = await Promise.allSettled(Array.from({ length: 20 }, () => busy.hash('secret')));
  const refused = results.filter(({ status }) => status === 'rejected');
  expect(refused).toHaveLength(2);
  expect(refused[0]).toMatchObject({ reason: { code: 'overloaded', retryAfterS: 1 } });
  await expect(busy.hash('secret')).resolves.toContain('$argon2id$');
});
