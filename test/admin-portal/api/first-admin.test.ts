import { expect, test } from 'vitest';
import { parseFirstAdmin } from '../../../admin-portal/api/first-admin.ts';

test('reads the address in lower case and the password as it is', () => {
  const content = '{"email": "Admin@Vote.localhost", "password": " twelve chars "}';
  expect(parseFirstAdmin(content)).toEqual({
    email: 'admin@vote.localhost',
    password: ' twelve chars ',
  });
});

test.each([
  ['not JSON', 'does not hold JSON'],
  ['[]', 'does not hold {"email", "password"}'],
  ['{"email": "a@b.example", "password": "short"}', 'does not hold {"email", "password"}'],
  ['{"email": "nobody", "password": "a good password"}', 'does not hold {"email", "password"}'],
])('refuses %s, and does not repeat it', (content, message) => {
  expect(() => parseFirstAdmin(content)).toThrow(message);
  expect(() => parseFirstAdmin(content)).not.toThrow('short');
});
