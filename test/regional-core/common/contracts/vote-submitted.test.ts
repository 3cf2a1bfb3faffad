import { createPublicKey, verify } from 'node:crypto';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { ballotSigningInput } from '#common/contracts/ballot-token.ts';
import {
  decodeVoteRecord,
  voteRecordBytes,
  voteRecordKey,
} from '#common/contracts/vote-submitted.ts';
import { createBallot, createRecord, createSigningKey } from '../../../support/votes.ts';

const key = createSigningKey();
const sessionId = '0190a0de-7b7c-7cc0-8000-000000000001';

test('a record gives back the vote, and rebuilds the bytes that identity signed', () => {
  fc.assert(
    fc.property(fc.nat(65_535), fc.nat(2 ** 31), (optionNo, acceptedAtMs) => {
      const ballot = createBallot(sessionId);
      const record = createRecord(key, ballot, optionNo, acceptedAtMs);
      expect(record.value).toHaveLength(voteRecordBytes);
      const read = decodeVoteRecord(record.key, record.value);
      if ('unreadable' in read) throw new Error(read.unreadable);
      expect(read).toMatchObject({ ballot, optionNo, acceptedAtMs, sessionVersion: 1 });
      const signed = Buffer.from(ballotSigningInput(read.ballot, read.kid));
      expect(verify(null, signed, createPublicKey(key.privateKey), read.signature)).toBe(true);
    }),
    { numRuns: 50 },
  );
});

test('says why a record cannot be read, and never throws', () => {
  const { value } = createRecord(key, createBallot(sessionId), 0);
  const good = voteRecordKey(sessionId);
  const reason = (k: Buffer | null, v: Buffer | null) => decodeVoteRecord(k, v);
  expect(reason(Buffer.from('x'), value)).toEqual({ unreadable: 'key is not a session id' });
  expect(reason(null, value)).toEqual({ unreadable: 'key is not a session id' });
  expect(reason(good, null)).toEqual({ unreadable: 'value has not 125 bytes' });
  const seal = Buffer.from(value);
  seal[0] = 9;
  expect(reason(good, seal)).toEqual({ unreadable: 'unknown kind 9' });
  const late = Buffer.from(value);
  late.writeBigUInt64BE(2n ** 63n, 23);
  expect(reason(good, late)).toEqual({ unreadable: 'accepted_at is not a time' });
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 40 }), fc.uint8Array({ maxLength: 140 }), (k, v) => {
      void decodeVoteRecord(Buffer.from(k), Buffer.from(v));
    }),
  );
});
