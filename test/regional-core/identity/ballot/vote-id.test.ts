import { createHmac, createSecretKey, randomBytes } from 'node:crypto';
import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { isUuid, uuidToBytes } from '#common/uuid.ts';
import { voteIdOf } from '../../../../regional-core/identity/ballot/vote-id.ts';

const secretBytes = randomBytes(32);
const secret = createSecretKey(secretBytes);
const policy = fc.constantFrom('account' as const, 'code' as const);

test('a vote id is a UUIDv8 of the HMAC of the voter', () => {
  fc.assert(
    fc.property(policy, fc.string(), (kind, voterId) => {
      const voteId = voteIdOf(secret, kind, voterId);
      expect(isUuid(voteId)).toBe(true);
      expect([voteId[14], '89ab'.includes(voteId[19]!)]).toEqual(['8', true]);
      const mac = createHmac('sha256', secretBytes).update(`${kind}:${voterId}`).digest();
      // All bits but the six of version and variant.
      expect(uuidToBytes(voteId).subarray(0, 6)).toEqual(mac.subarray(0, 6));
      expect(uuidToBytes(voteId).subarray(9)).toEqual(mac.subarray(9, 16));
      expect(voteIdOf(secret, kind, voterId)).toBe(voteId);
    }),
  );
});

test('a code and an account never share a vote id, nor do two sessions', () => {
  fc.assert(
    fc.property(fc.string(), (voterId) => {
      const voteId = voteIdOf(secret, 'code', voterId);
      expect(voteIdOf(secret, 'account', voterId)).not.toBe(voteId);
      expect(voteIdOf(createSecretKey(randomBytes(32)), 'code', voterId)).not.toBe(voteId);
    }),
  );
});
