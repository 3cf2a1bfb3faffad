import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { readVotingCode } from '../../voter-web/voting-code.ts';

const symbol = fc.constantFrom(...'0123456789ABCDEFGHJKMNPQRSTVWXYZ');
const code = fc.array(symbol, { minLength: 20, maxLength: 20 }).map((symbols) => symbols.join(''));
const grouped = (bare: string): string => (bare.match(/.{5}/g) ?? []).join('-');

test('a code is read in any case, with spaces and dashes anywhere', () => {
  const noise = fc.array(fc.constantFrom('', '-', ' ', '–', '\t'), {
    minLength: 20,
    maxLength: 20,
  });
  fc.assert(
    fc.property(code, noise, fc.boolean(), (bare, gaps, lower) => {
      const typed = [...bare].map((char, place) => char + (gaps[place] ?? '')).join('');
      expect(readVotingCode(lower ? typed.toLowerCase() : typed)).toBe(grouped(bare));
    }),
  );
});

test('letters that look like digits are read as those', () => {
  expect(readVotingCode('oilOI-LABCD-EFGHJ-KMNPQ')).toBe('01101-1ABCD-EFGHJ-KMNPQ');
});

test('what is too short, too long or has foreign letters is no code', () => {
  for (const typed of ['', 'ABCDE', 'ABCDE-FGHJK-MNPQR-STVW', 'ABCDE-FGHJK-MNPQR-STVWX-Y']) {
    expect(readVotingCode(typed)).toBeNull();
  }
  expect(readVotingCode('UBCDE-FGHJK-MNPQR-STVWX')).toBeNull();
  expect(readVotingCode('A'.repeat(10_000))).toBeNull();
});

test('whatever is typed, the answer has the one shape or is none', () => {
  fc.assert(
    fc.property(fc.string({ maxLength: 140 }), (typed) => {
      const read = readVotingCode(typed);
      return read === null || /^([0-9A-HJKMNP-TV-Z]{5}-){3}[0-9A-HJKMNP-TV-Z]{5}$/.test(read);
    }),
  );
});
