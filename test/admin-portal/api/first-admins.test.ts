import { expect, test } from 'vitest';
import { parseFirstAdmins } from '../../../admin-portal/api/first-admins.ts';

const person = (email: string) => ({ email, password: 'a good password' });

test('reads each address in lower case and the passwords as they are', () => {
  const content = `[{"email": "Admin@Vote.localhost", "password": " twelve chars "},
    {"email": "notary@vote.localhost", "password": "of somebody else"}]`;
  expect(parseFirstAdmins(content)).toEqual([
    { email: 'admin@vote.localhost', password: ' twelve chars ' },
    { email: 'notary@vote.localhost', password: 'of somebody else' },
  ]);
});

test('reads one, and five', () => {
  for (const count of [1, 5]) {
    const people = Array.from({ length: count }, (_, at) => person(`a${at}@vote.example`));
    expect(parseFirstAdmins(JSON.stringify(people))).toEqual(people);
  }
});

test.each([
  ['not JSON', 'short', 'does not hold JSON'],
  ['one that is no list', person('a@b.example'), 'does not hold [{"email", "password"}, …]'],
  ['nobody', [], 'one to five'],
  ['six', Array.from({ length: 6 }, (_, at) => person(`a${at}@b.example`)), 'one to five'],
  ['a short password', [{ ...person('a@b.example'), password: 'short' }], '12 characters'],
  ['what is no address', [person('nobody')], 'does not hold'],
  ['one address twice', [person('a@b.example'), person('A@B.example')], 'different addresses'],
])('refuses %s, and does not repeat it', (_case, content, message) => {
  const text = typeof content === 'string' ? content : JSON.stringify(content);
  expect(() => parseFirstAdmins(text)).toThrow(message);
  expect(() => parseFirstAdmins(text)).not.toThrow(/short|b\.example/);
});
