import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { languages } from '../../voter-web/language.ts';
import { addressIn, readRoute } from '../../voter-web/route.ts';

const sessionId = '11111111-1111-4111-8111-111111111111';

describe('addresses', () => {
  test('a session is named in the path or in the query, with or without a language', () => {
    const named = { view: 'vote', language: 'de', sessionId };
    expect(readRoute(`/de/s/${sessionId}`, '')).toEqual(named);
    expect(readRoute('/de/', `?session=${sessionId}`)).toEqual(named);
    expect(readRoute(`/s/${sessionId}`, '')).toEqual({ ...named, language: 'en' });
    expect(readRoute('/', `?session=${sessionId}`)).toEqual({ ...named, language: 'en' });
  });

  test('the link in the mail confirms an address', () => {
    const route = { view: 'verify', language: 'en', token: 'a.b' };
    expect(readRoute('/verify', '?token=a.b')).toEqual(route);
    expect(readRoute('/ar/verify', '?token=a.b')).toEqual({ ...route, language: 'ar' });
  });

  test('a receipt is checked at an address of its own, in each language', () => {
    expect(readRoute('/receipt', '')).toEqual({ view: 'receipt', language: 'en' });
    expect(readRoute('/ar/receipt', '')).toEqual({ view: 'receipt', language: 'ar' });
    expect(addressIn('de', { view: 'receipt', language: 'ar' })).toBe('/de/receipt');
  });

  test('anything else is the start page', () => {
    for (const path of [
      '/',
      '/en',
      '/verify',
      '/constructor',
      '/s/',
      '/en/s/%3Cscript%3E',
      '/x/y/z',
    ]) {
      expect(readRoute(path, '')).toEqual({ view: 'vote', language: 'en', sessionId: null });
    }
  });

  test('changing the language leads to the same place', () => {
    const id = fc.stringMatching(/^[A-Za-z0-9_-]{1,64}$/);
    const language = fc.constantFrom(...(Object.keys(languages) as (keyof typeof languages)[]));
    fc.assert(
      fc.property(fc.option(id), language, (named, to) => {
        const route = { view: 'vote', language: 'en', sessionId: named } as const;
        expect(readRoute(addressIn(to, route), '')).toEqual({ ...route, language: to });
      }),
    );
    fc.assert(
      fc.property(fc.string({ minLength: 1 }), language, (token, to) => {
        const url = new URL(addressIn(to, { view: 'verify', language: 'en', token }), 'http://h');
        expect(readRoute(url.pathname, url.search)).toEqual({
          view: 'verify',
          language: to,
          token,
        });
      }),
    );
  });
});
