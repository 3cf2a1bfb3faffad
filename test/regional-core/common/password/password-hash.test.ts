import { expect, test } from 'vitest';
import { hashPassword, isPasswordOf, nobodysHash } from '#common/password/password-hash.ts';

test('a hash is argon2id with a salt of its own, and knows its password', async () => {
  const hash = await hashPassword('correct horse');
  expect(hash).toMatch(/^\$argon2id\$v=19\$m=19456,t=2,p=1\$[\w+/]{22}\$[\w+/]{43}$/);
  expect(await hashPassword('correct horse')).not.toBe(hash);
  expect(await isPasswordOf(hash, 'correct horse')).toBe(true);
  expect(await isPasswordOf(hash, 'correct hors')).toBe(false);
  expect(await isPasswordOf(hash, '')).toBe(false);
});

test('a password is the same however its accents are composed', async () => {
  expect(await isPasswordOf(await hashPassword('e\u0301lan vital'), '\u00e9lan vital')).toBe(true);
});

test('the parameters of a hash are part of it', async () => {
  const hash = await hashPassword('correct horse');
  expect(await isPasswordOf(hash.replace('t=2', 't=1'), 'correct horse')).toBe(false);
});

test('nobody has the password of the hash that unknown addresses are checked against', async () => {
  expect(await isPasswordOf(nobodysHash, '')).toBe(false);
  expect(await isPasswordOf(nobodysHash, 'password')).toBe(false);
});

test.each(['', 'plain', '$argon2i$v=19$m=1,t=1,p=1$a$b', nobodysHash.replace('p=1', 'p=2')])(
  'a stored text that is no hash of ours is an error, never a right password: %j',
  async (hash) => {
    await expect(isPasswordOf(hash, 'password')).rejects.toThrow('not an argon2id hash');
  },
);

test('a stored hash cannot ask for more memory or time than is allowed', async () => {
  const greedy = [nobodysHash.replace('m=19456', 'm=999999'), nobodysHash.replace('t=2', 't=99')];
  for (const hash of greedy) {
    await expect(isPasswordOf(hash, 'password')).rejects.toThrow('more memory or time');
  }
});
