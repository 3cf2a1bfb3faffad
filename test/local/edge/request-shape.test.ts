import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { readTarget } from '../../../local/edge/request-shape.ts';

describe('the target of a request', () => {
  it('is split at its first question mark', () => {
    expect(readTarget('/a/b?c=/../d?e')).toEqual({ path: '/a/b', query: '?c=/../d?e' });
    expect(readTarget('/')).toEqual({ path: '/', query: '' });
    expect(readTarget('/.well-known/jwks.json')).toMatchObject({ path: '/.well-known/jwks.json' });
    expect(readTarget('/s/caf%C3%A9%20%25')).toEqual({
      path: '/s/caf%C3%A9%20%25',
      query: '',
    });
  });

  it('is refused where it has a second reading', () => {
    for (const url of [
      '*',
      'http://localhost/',
      '//host/',
      '/a/../b',
      '/a/.',
      '/..',
      '/a%2fb',
      '/a%5Cb',
      '/%2e%2e/b',
      '/%61',
      '/a%00',
      '/a%0d%0ab',
      '/a%zz',
      '/a%',
      '/a\\b',
      '/a#b',
      '/a b',
      '/caf\u00e9',
    ]) {
      expect([url, readTarget(url)]).toEqual([url, 400]);
    }
  });

  it('is refused when it is longer than CloudFront takes', () => {
    expect(readTarget(`/${'x'.repeat(8192)}`)).toBe(414);
  });

  it('is, when taken, a path that a URL parser leaves as it is', () => {
    const unit = fc.constantFrom('/', '.', 'a', '%', '2', 'e', 'f', '\\', '?', '#', ' ', '\t', 'é');
    fc.assert(
      fc.property(fc.string({ unit, maxLength: 12 }), (text) => {
        const target = readTarget(`/${text}`);
        if (typeof target === 'number') return;
        expect(new URL(target.path, 'http://localhost').pathname).toBe(target.path);
      }),
      { numRuns: 5000 },
    );
  });
});
