import { randomBytes, randomUUID } from 'node:crypto';
import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { unwrapSecret, wrapSecret } from '../../../../regional-core/identity/ballot/wrapping.ts';

const key = randomBytes(32);
const sessionId = randomUUID();

test('a wrapped secret opens for its session and key, and never looks the same twice', () => {
  fc.assert(
    fc.property(fc.uint8Array({ minLength: 1, maxLength: 64 }), (bytes) => {
      const secret = Buffer.from(bytes);
      const wrapped = wrapSecret(key, sessionId, secret);
      expect(unwrapSecret(key, sessionId, wrapped)).toEqual(secret);
      expect(wrapSecret(key, sessionId, secret)).not.toEqual(wrapped);
    }),
  );
});

test('a wrapped secret with any bit flipped does not open', () => {
  const wrapped = wrapSecret(key, sessionId, randomBytes(32));
  fc.assert(
    fc.property(fc.integer({ min: 0, max: wrapped.length * 8 - 1 }), (bit) => {
      const changed = Buffer.from(wrapped);
      changed[bit >> 3]! ^= 1 << (bit & 7);
      expect(() => unwrapSecret(key, sessionId, changed)).toThrow();
    }),
  );
});

test('another session, another key and a cut row do not open it', () => {
  const wrapped = wrapSecret(key, sessionId, randomBytes(32));
  expect(() => unwrapSecret(key, randomUUID(), wrapped)).toThrow();
  expect(() => unwrapSecret(randomBytes(32), sessionId, wrapped)).toThrow();
  expect(() => unwrapSecret(key, sessionId, wrapped.subarray(0, 20))).toThrow(/not in a form/);
  expect(() => unwrapSecret(key, sessionId, Buffer.alloc(0))).toThrow(/not in a form/);
});
