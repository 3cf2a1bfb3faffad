import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { normalizeEmail } from '../../../../regional-core/identity/account/email-address.ts';

test.each([
  ['Voter@Example.COM', 'voter@example.com'],
  ['  a.b+tag@example.co.uk ', 'a.b+tag@example.co.uk'],
  ['ｖｏｔｅｒ@example.com', 'voter@example.com'],
  ['wähler@münchen.example', 'wähler@xn--mnchen-3ya.example'],
  ["o'neil@example.com", "o'neil@example.com"],
  ['demo@vote.localhost', 'demo@vote.localhost'],
])('%s is known as %s', (typed, known) => {
  expect(normalizeEmail(typed)).toBe(known);
});

test.each([
  '',
  'a',
  '@example.com',
  'a@',
  'a@b',
  'a@b@example.com',
  'a b@example.com',
  'a@exa mple.com',
  'a,b@example.com',
  'a@example.com,b@example.com',
  'a@example.com\r\nBcc: b@example.com',
  '"a b"@example.com',
  '<a@example.com>',
  'a@-example.com',
  'a@example-.com',
  'a@example..com',
  'a@.example.com',
  '.a@example.com',
  'a..b@example.com',
  'a.@example.com',
  'a@127.0.0.1',
  'a@[127.0.0.1]',
  'a\u0000@example.com',
  `${'a'.repeat(65)}@example.com`,
  `a@${'b'.repeat(64)}.com`,
  `a@${'bcd.'.repeat(70)}com`,
])('%j is refused', (typed) => {
  expect(normalizeEmail(typed)).toBeUndefined();
});

test('the normal form is its own normal form, and never holds a line end or a second @', () => {
  const local = fc.string({ unit: 'grapheme', minLength: 1, maxLength: 20 });
  fc.assert(
    fc.property(
      fc.oneof(
        fc.emailAddress(),
        local.map((text) => `${text}@example.com`),
      ),
      (typed) => {
        const email = normalizeEmail(typed);
        if (email === undefined) return;
        expect(normalizeEmail(email)).toBe(email);
        expect(email).toMatch(/^[^\s@<>",;]+@[a-z\d.-]+$/);
        expect(Buffer.byteLength(email)).toBeLessThanOrEqual(254);
      },
    ),
  );
});

test('a text made to keep a pattern busy is refused like any other', () => {
  for (const typed of [
    'a.'.repeat(127),
    `${'a-'.repeat(30)}@${'a-'.repeat(96)}`,
    'a@'.repeat(127),
  ]) {
    expect(normalizeEmail(typed)).toBeUndefined();
  }
});
