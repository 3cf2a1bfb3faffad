import { randomUUID } from 'node:crypto';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import {
  decodeSeal,
  encodeSeal,
  type Seal,
  sealFault,
  sealingRegion,
} from '#common/contracts/seal.ts';
import { importPublicKeys } from '#common/keys.ts';
import { createSigningKey } from '../../../support/votes.ts';

const key = createSigningKey();
const keys = importPublicKeys([key.publicJwk]);
const seal: Seal = {
  sessionId: randomUUID(),
  log: 'us-east-1@us-west-2',
  partition: 29,
  sessionVersion: 3,
  closesAtMs: 1_800_000_000_000,
  sealedAtMs: 1_800_000_005_100,
};
const place = { log: seal.log, partition: seal.partition };

test('a seal is read as it was written, and its signature holds', () => {
  const read = decodeSeal(seal.sessionId, encodeSeal(seal, key))!;
  expect(read).toMatchObject({ ...seal, kid: key.kid });
  expect(sealFault(read, place, keys)).toBeUndefined();
});

test('a seal with any byte changed is no seal, or not a valid one', () => {
  const good = encodeSeal(seal, key);
  fc.assert(
    fc.property(fc.nat({ max: good.length - 1 }), fc.integer({ min: 1, max: 255 }), (at, flip) => {
      const bytes = Buffer.from(good);
      bytes[at]! ^= flip;
      const read = decodeSeal(seal.sessionId, bytes);
      expect(read === undefined || sealFault(read, place, keys) !== undefined).toBe(true);
    }),
  );
});

test('a seal counts for its session, its log, its partition and its key alone', () => {
  const bytes = encodeSeal(seal, key);
  const fault = (sessionId: string, where: typeof place, known = keys): string | undefined =>
    sealFault(decodeSeal(sessionId, bytes)!, where, known);
  expect(fault(randomUUID(), place)).toBe('seal signature is not valid');
  expect(fault(seal.sessionId, { ...place, partition: 28 })).toBe('seal of another place');
  expect(fault(seal.sessionId, { ...place, log: 'us-east-1' })).toBe('seal of another place');
  expect(fault(seal.sessionId, place, new Map())).toBe('seal by an unknown key');
});

test('what is cut short, too long or another kind is no seal; a long name is refused', () => {
  const bytes = encodeSeal(seal, key);
  for (const other of [bytes.subarray(0, -1), Buffer.concat([bytes, bytes]), Buffer.from([2])]) {
    expect(decodeSeal(seal.sessionId, other)).toBeUndefined();
  }
  expect(decodeSeal(seal.sessionId, Buffer.from([1, ...bytes.subarray(1)]))).toBeUndefined();
  expect(() => encodeSeal({ ...seal, log: 'x'.repeat(82) }, key)).toThrow(RangeError);
});

test('a standby is sealed by the region that hosts it', () => {
  expect(sealingRegion('us-east-1')).toBe('us-east-1');
  expect(sealingRegion('us-east-1@us-west-2')).toBe('us-west-2');
});
