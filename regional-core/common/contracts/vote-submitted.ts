import { uuidFromBytes, uuidToBytes } from '../uuid.ts';
import { type Ballot, challengeStates, strengths } from './ballot-token.ts';

/**
 * A record of the topic `vote-submitted`: one submission of one vote, and nothing about the person.
 * The Kafka key is the session's id (16 bytes), so that even an unreadable value can be put to its
 * session's account. The value, big-endian, 125 bytes:
 *
 *    0      1           17           21       23            31      47       51    52      53     61          125 │
 *    ┌──────┬───────────┬────────────┬────────┬─────────────┬───────┬────────┬─────┬───────┬──────┬───────────┐
 *    │ kind │ vote_id   │ session    │ option │ accepted_at │ jti   │ exp    │ acr │ chal- │ kid  │ signature │
 *    │ u8=1 │ 16 bytes  │ version u32│ no u16 │ u64, ms     │ 16 B  │ u32, s │ u8  │ lenge │ 8 B  │ 64 bytes  │
 *    └──────┴───────────┴────────────┴────────┴─────────────┴───────┴────────┴─────┴───────┴──────┴───────────┘
 *
 * vote_id to signature, with the session's id, rebuild the ballot's signed bytes: the ledger can
 * verify that identity opened this ballot, and a hacked intake cannot invent voters.
 */
export interface VoteRecord {
  readonly ballot: Ballot;
  /** Version of the session that the voter's option was read against. */
  readonly sessionVersion: number;
  /** Position of the option in the session's list, from 0. */
  readonly optionNo: number;
  /** Wall clock of the intake that accepted it, ms; the same in every copy that it sends. */
  readonly acceptedAtMs: number;
  readonly kid: string;
  readonly signature: Buffer;
}

const voteRecordKind = 1;
export const voteRecordBytes = 125;

/** The Kafka key of a session's records. */
export function voteRecordKey(sessionId: string): Buffer {
  return uuidToBytes(sessionId);
}

/** The session a record belongs to by its key; undefined when the key is not one of ours. */
export function sessionOfKey(key: Buffer | null | undefined): string | undefined {
  return key?.length === 16 ? uuidFromBytes(key) : undefined;
}

/**
 * The record's value, of a ballot that was verified: that jti, kid and signature have their 16, 8
 * and 64 bytes is not checked. Throws a RangeError for a number that its field cannot hold and for
 * a strength or challenge state that is not in the lists.
 */
export function encodeVoteRecord(record: VoteRecord): Buffer {
  const { ballot } = record;
  const bytes = Buffer.alloc(voteRecordBytes);
  bytes.writeUInt8(voteRecordKind, 0);
  uuidToBytes(ballot.vote_id).copy(bytes, 1);
  bytes.writeUInt32BE(record.sessionVersion, 17);
  bytes.writeUInt16BE(record.optionNo, 21);
  bytes.writeBigUInt64BE(BigInt(record.acceptedAtMs), 23);
  Buffer.from(ballot.jti, 'base64url').copy(bytes, 31);
  bytes.writeUInt32BE(ballot.exp, 47);
  bytes.writeUInt8(strengths.indexOf(ballot.acr), 51);
  bytes.writeUInt8(challengeStates.indexOf(ballot.challenge), 52);
  Buffer.from(record.kid, 'base64url').copy(bytes, 53);
  record.signature.copy(bytes, 61);
  return bytes;
}

/**
 * Reads a record. A value that is not of this form gives the reason instead: such a record is
 * quarantined, never skipped.
 */
export function decodeVoteRecord(
  key: Buffer | null | undefined,
  value: Buffer | null | undefined,
): VoteRecord | { readonly unreadable: string } {
  const sessionId = sessionOfKey(key);
  if (sessionId === undefined) return { unreadable: 'key is not a session id' };
  if (value?.length !== voteRecordBytes) return { unreadable: 'value has not 125 bytes' };
  if (value[0] !== voteRecordKind) return { unreadable: `unknown kind ${value[0]}` };
  const acr = strengths[value.readUInt8(51)];
  const challenge = challengeStates[value.readUInt8(52)];
  if (acr === undefined || challenge === undefined) return { unreadable: 'unknown strength' };
  const acceptedAtMs = Number(value.readBigUInt64BE(23));
  // ECMA-262 21.4.1.1: beyond this no Date exists, and Postgres would refuse the whole batch.
  if (acceptedAtMs > 8.64e15) return { unreadable: 'accepted_at is not a time' };
  return {
    ballot: {
      vote_id: uuidFromBytes(value.subarray(1, 17)),
      session_id: sessionId,
      jti: value.subarray(31, 47).toString('base64url'),
      exp: value.readUInt32BE(47),
      acr,
      challenge,
    },
    sessionVersion: value.readUInt32BE(17),
    optionNo: value.readUInt16BE(21),
    acceptedAtMs,
    kid: value.subarray(53, 61).toString('base64url'),
    signature: Buffer.from(value.subarray(61, 125)),
  };
}
