import { sign, verify } from 'node:crypto';
import type { PublicKeys, SigningKey } from '../keys.ts';
import { uuidToBytes } from '../uuid.ts';

/**
 * A seal: a record in every partition of a log of votes that says "what lies behind me came too
 * late for this session". Its Kafka key is the session's id (16 bytes), as of every record of the
 * session. The value, big-endian:
 *
 *   ┌──────┬──────────────────────┬───────────┬─────────┬───────────┬───────────┬─────┬───────────┐
 *   │ kind │ log: length u8, text │ partition │ session │ closes_at │ sealed_at │ kid │ signature │
 *   │ u8=2 │ at most 81, ASCII    │ u16       │ ver. u32│ u64, ms   │ u64, ms   │ 8 B │ 64 bytes  │
 *   └──────┴──────────────────────┴───────────┴─────────┴───────────┴───────────┴─────┴───────────┘
 *
 * signed text = "vote-seal-v1" │ session id, 16 bytes │ everything before kid        Ed25519
 */
export interface Seal {
  readonly sessionId: string;
  /** A region's own log, or a standby: `region@host`. */
  readonly log: string;
  readonly partition: number;
  readonly sessionVersion: number;
  readonly closesAtMs: number;
  /** Wall clock of the ledger that wrote it. */
  readonly sealedAtMs: number;
}

/** A seal as it was read: its signature is yet to be verified. */
export interface SignedSeal extends Seal {
  readonly kid: string;
  readonly signature: Buffer;
  /** What was signed. */
  readonly signedBytes: Buffer;
}

export const sealRecordKind = 2;
const logLengthMax = 81;
const signedPrefix = Buffer.from('vote-seal-v1');
/** Bytes beside the log's name. */
const fixedBytes = 1 + 1 + 2 + 4 + 8 + 8 + 8 + 64;
const kidAndSignatureBytes = 8 + 64;

/** The value of a seal's record. Throws a RangeError for a log's name that does not fit. */
export function encodeSeal(seal: Seal, key: SigningKey): Buffer {
  const log = Buffer.from(seal.log, 'ascii');
  if (log.length === 0 || log.length > logLengthMax) {
    throw new RangeError(`a log's name has 1 to ${logLengthMax} characters`);
  }
  const bytes = Buffer.alloc(fixedBytes + log.length);
  bytes.writeUInt8(sealRecordKind, 0);
  bytes.writeUInt8(log.length, 1);
  log.copy(bytes, 2);
  let at = 2 + log.length;
  at = bytes.writeUInt16BE(seal.partition, at);
  at = bytes.writeUInt32BE(seal.sessionVersion, at);
  at = bytes.writeBigUInt64BE(BigInt(seal.closesAtMs), at);
  at = bytes.writeBigUInt64BE(BigInt(seal.sealedAtMs), at);
  const signed = signedBytesOf(seal.sessionId, bytes.subarray(0, at));
  Buffer.from(key.kid, 'base64url').copy(bytes, at);
  sign(null, signed, key.privateKey).copy(bytes, at + 8);
  return bytes;
}

/** Reads a value; undefined for another kind or form. Says nothing about its signature. */
export function decodeSeal(sessionId: string, value: Buffer): SignedSeal | undefined {
  if (value[0] !== sealRecordKind || value.length < fixedBytes + 1) return undefined;
  const logLength = value.readUInt8(1);
  if (logLength > logLengthMax || value.length !== fixedBytes + logLength) return undefined;
  const at = 2 + logLength;
  const kidAt = value.length - kidAndSignatureBytes;
  const closesAtMs = Number(value.readBigUInt64BE(at + 6));
  const sealedAtMs = Number(value.readBigUInt64BE(at + 14));
  if (!isTime(closesAtMs) || !isTime(sealedAtMs)) return undefined;
  return {
    sessionId,
    log: value.toString('ascii', 2, at),
    partition: value.readUInt16BE(at),
    sessionVersion: value.readUInt32BE(at + 2),
    closesAtMs,
    sealedAtMs,
    kid: value.subarray(kidAt, kidAt + 8).toString('base64url'),
    signature: Buffer.from(value.subarray(kidAt + 8)),
    signedBytes: signedBytesOf(sessionId, value.subarray(0, kidAt)),
  };
}

/**
 * Why a seal does not count where it lies; undefined when it does.
 *
 * @param place the log and partition it was read from
 * @param keys seal keys of the region that hosts that log, and no others
 */
export function sealFault(
  seal: SignedSeal,
  place: { readonly log: string; readonly partition: number },
  keys: PublicKeys,
): string | undefined {
  if (seal.log !== place.log || seal.partition !== place.partition) return 'seal of another place';
  const key = keys.get(seal.kid);
  if (key === undefined) return 'seal by an unknown key';
  return verify(null, seal.signedBytes, key, seal.signature)
    ? undefined
    : 'seal signature is not valid';
}

/** The region whose ledgers seal a log: the one that hosts it. */
export function sealingRegion(log: string): string {
  return log.slice(log.indexOf('@') + 1);
}

function signedBytesOf(sessionId: string, head: Buffer): Buffer {
  return Buffer.concat([signedPrefix, uuidToBytes(sessionId), head]);
}

/** ECMA-262 21.4.1.1: beyond this no Date exists. */
function isTime(ms: number): boolean {
  return ms <= 8.64e15;
}
