import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { compilePattern } from '../../edge-config/path-pattern.ts';

describe('a path pattern', () => {
  it('without a star matches itself only', () => {
    const matches = compilePattern('/api/v1/votes');
    expect(matches('/api/v1/votes')).toBe(true);
    expect(['/api/v1/votes/', '/api/v1/vote', '/API/v1/votes'].some(matches)).toBe(false);
  });

  it('with a star matches any characters there, slashes and none too', () => {
    const matches = compilePattern('/api/v1/sessions/*/ballot');
    expect(matches('/api/v1/sessions/a/b/ballot')).toBe(true);
    expect(matches('/api/v1/sessions//ballot')).toBe(true);
    expect(matches('/api/v1/sessions/ballot')).toBe(false);
  });

  it('agrees with a regular expression of the same meaning on any path', () => {
    const text = fc.string({ unit: fc.constantFrom('/', 'a', 'b', '*'), maxLength: 8 });
    fc.assert(
      fc.property(text, text, (pattern, path) => {
        const source = pattern.replaceAll('/', '\\/').replaceAll('*', '[^]*');
        expect(compilePattern(pattern)(path)).toBe(new RegExp(`^${source}$`).test(path));
      }),
      { numRuns: 2000 },
    );
  });
});
