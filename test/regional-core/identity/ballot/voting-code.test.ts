import { createSecretKey, randomBytes, randomUUID } from 'node:crypto';
import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import {
  codesInARun,
  makeCode,
  printCodes,
  readCode,
  runFrom,
  serialOf,
} from '../../../../regional-core/identity/ballot/voting-code.ts';

const key = createSecretKey(randomBytes(32));
const sessionId = randomUUID();
const run = fc.integer({ min: 0, max: 2 ** 26 - 1 });
const counter = fc.integer({ min: 0, max: codesInARun - 1 });

test('a code reads back as its serial, typed in any case, with any spaces and dashes', () => {
  fc.assert(
    fc.property(run, counter, fc.array(fc.constantFrom(' ', '-', '')), (runNo, no, gaps) => {
      const serial = serialOf(runNo, no);
      const code = makeCode(key, sessionId, serial);
      expect(code).toMatch(/^([0-9A-HJKMNP-TV-Z]{5}-){3}[0-9A-HJKMNP-TV-Z]{5}$/);
      expect(readCode(key, sessionId, code)).toBe(serial);
      const typed = [...code.toLowerCase()].map((symbol, at) => symbol + (gaps[at] ?? '')).join('');
      expect(readCode(key, sessionId, typed)).toBe(serial);
      expect(readCode(key, sessionId, code.replaceAll('0', 'o').replaceAll('1', 'l'))).toBe(serial);
    }),
  );
});

test('different numbers are different serials', () => {
  fc.assert(
    fc.property(run, counter, run, counter, (runA, a, runB, b) => {
      expect(serialOf(runA, a) === serialOf(runB, b)).toBe(runA === runB && a === b);
    }),
  );
});

test('a code with any one symbol changed is not valid', () => {
  const code = makeCode(key, sessionId, serialOf(1, 2));
  const symbol = fc.constantFrom(...'0123456789ABCDEFGHJKMNPQRSTVWXYZ');
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 22 }), symbol, (at, other) => {
      fc.pre(code[at] !== '-' && code[at] !== other);
      const changed = code.slice(0, at) + other + code.slice(at + 1);
      expect(readCode(key, sessionId, changed)).toBeUndefined();
    }),
  );
});

test('a code is good for its session and key only', () => {
  const code = makeCode(key, sessionId, serialOf(1, 2));
  expect(readCode(key, randomUUID(), code)).toBeUndefined();
  expect(readCode(createSecretKey(randomBytes(32)), sessionId, code)).toBeUndefined();
});

test('any text at all is read without an error, and none is valid by chance', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary', maxLength: 40 }), (typed) => {
      expect(readCode(key, sessionId, typed)).toBeUndefined();
    }),
  );
  const code = makeCode(key, sessionId, serialOf(1, 2));
  expect(readCode(key, sessionId, `${code}${' '.repeat(200)}`)).toBeUndefined();
  expect(readCode(key, sessionId, code.slice(0, -1))).toBeUndefined();
  expect(readCode(key, sessionId, `${code}0`)).toBeUndefined();
});

test('printing begins with the run given and counts on', () => {
  const codes = printCodes(key, sessionId, 5);
  for (const no of [0, 1, 2]) {
    const code = codes.next().value as string;
    expect(readCode(key, sessionId, code)).toBe(serialOf(5, no));
  }
});

test('a run number is any 26 bits', () => {
  expect(runFrom(Buffer.from('ffffffff', 'hex'))).toBe(2 ** 26 - 1);
  expect(runFrom(Buffer.from('00000000', 'hex'))).toBe(0);
  expect(runFrom(Buffer.from('04000001', 'hex'))).toBe(1);
});
