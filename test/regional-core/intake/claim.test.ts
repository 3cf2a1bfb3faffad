import { createSecretKey, randomBytes } from 'node:crypto';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { confirm } from '#common/confirmation.ts';
import {
  choiceOf,
  decideByClaim,
  decodeClaim,
  encodeDone,
  encodePending,
} from '../../../regional-core/intake/claim.ts';

const choice = fc.uint8Array({ minLength: 8, maxLength: 8 }).map((bytes) => Buffer.from(bytes));
const done = fc.record({
  acceptedAtMs: fc.nat(2 ** 41),
  region: fc.constantFrom('us-east-1', 'eu', 'ap-southeast-2'),
  partition: fc.nat(65_535),
  offset: fc.nat(Number.MAX_SAFE_INTEGER),
  durability: fc.constantFrom('single' as const, 'region' as const, 'two-regions' as const),
  kid: fc
    .uint8Array({ minLength: 8, maxLength: 8 })
    .map((b) => Buffer.from(b).toString('base64url')),
  signature: fc.uint8Array({ minLength: 64, maxLength: 64 }).map((b) => Buffer.from(b)),
});

test('a claim survives the way through Redis, in at most 200 bytes', () => {
  fc.assert(
    fc.property(choice, done, (chosen, given) => {
      const bytes = encodeDone(chosen, given);
      expect(bytes.length).toBeLessThanOrEqual(200);
      expect(decodeClaim(bytes)).toEqual({ state: 'done', choice: chosen, ...given });
    }),
  );
  const tag = randomBytes(8);
  const pending = encodePending(Buffer.alloc(8, 1), tag);
  expect(decodeClaim(pending)).toEqual({ state: 'pending', choice: Buffer.alloc(8, 1), tag });
});

test('anything else in Redis counts as no claim', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 100 }), (bytes) => {
      const claim = decodeClaim(Buffer.from(bytes));
      if (claim !== undefined) expect(claim.state).toBe('pending');
    }),
  );
  expect(decodeClaim(Buffer.alloc(0))).toBeUndefined();
});

test('the same choice is recorded or repeated, never refused; another never overwrites', () => {
  fc.assert(
    fc.property(choice, choice, done, (mine, theirs, record) => {
      fc.pre(!mine.equals(theirs));
      const tag = Buffer.alloc(8);
      expect(decideByClaim(undefined, mine)).toEqual({ act: 'produce' });
      expect(decideByClaim({ state: 'pending', choice: mine, tag }, mine)).toEqual({
        act: 'produce',
      });
      expect(decideByClaim({ state: 'done', choice: mine, ...record }, mine).act).toBe('repeat');
      expect(decideByClaim({ state: 'pending', choice: theirs, tag }, mine).act).toBe(
        'refuse_in_progress',
      );
      expect(decideByClaim({ state: 'done', choice: theirs, ...record }, mine)).toEqual({
        act: 'refuse_duplicate',
        acceptedAtMs: record.acceptedAtMs,
      });
    }),
  );
});

test('the choice in a claim is not the confirmation code', () => {
  const { commitment, code } = confirm(
    createSecretKey(Buffer.alloc(32, 1)),
    '0190a0de-7b7c-7cc0-8000-000000000001',
    2,
  );
  expect(Buffer.from(commitment, 'base64url').subarray(0, 8)).not.toEqual(choiceOf(commitment));
  expect(code).toMatch(/^[0-9A-Z]{5}-[0-9A-Z]{5}$/);
});
