import type { Context } from 'koa';
import { expect, test } from 'vitest';
import { sameOriginOnly } from '../../../admin-portal/api/same-origin.ts';

const check = sameOriginOnly('http://localhost:8081');

function passes(headers: Readonly<Record<string, string>>): boolean {
  const context = { get: (name: string) => headers[name] ?? '' } as unknown as Context;
  let passed = false;
  try {
    void check(context, async () => {
      passed = true;
    });
  } catch (error) {
    expect(error).toMatchObject({ code: 'forbidden' });
  }
  return passed;
}

test.each([
  ['no browser at all', {}],
  ["the portal's address", { origin: 'http://localhost:8081', host: 'portal' }],
  [
    'its other name, when it was asked by it',
    { origin: 'http://portal.localhost:8080', host: 'portal.localhost:8080' },
  ],
  ['a same-origin fetch', { 'sec-fetch-site': 'same-origin' }],
])('lets pass: %s', (_case, headers) => {
  expect(passes(headers)).toBe(true);
});

test.each([
  ['another port of the same machine', { origin: 'http://localhost:8080', host: 'localhost:8081' }],
  [
    'another scheme than the portal is configured with',
    { origin: 'https://localhost:8081', host: 'portal' },
  ],
  ['an opaque origin', { origin: 'null', host: 'null' }],
  [
    'a cross-site fetch, whatever the origin',
    { 'sec-fetch-site': 'cross-site', origin: 'http://localhost:8081' },
  ],
])('refuses: %s', (_case, headers) => {
  expect(passes(headers)).toBe(false);
});
