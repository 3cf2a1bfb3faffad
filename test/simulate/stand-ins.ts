import type { Confirmation } from '#common/confirmation.ts';
import type { Ballot, BallotVerdict } from '#common/contracts/ballot-token.ts';
import type { ReceiptFields } from '#common/contracts/receipt.ts';
import type { VoteRecord } from '#common/contracts/vote-submitted.ts';
import type { Log } from '#common/log.ts';
import type { VoteCrypto } from '../../regional-core/intake/submit-vote.ts';
import type { ControlRecord } from '../../regional-core/ledger/batch.ts';
import type { Random } from './random.ts';

/**
 * Cheap stand-ins for the cryptography, which has tests of its own: a signature here is a checksum.
 * Nobody in the simulation breaks it except where a fault says so.
 */
export const ballotKid = Buffer.from('ballotky').toString('base64url');
const receiptKid = Buffer.from('receiptk').toString('base64url');

function checksum(text: string, salt: number): number {
  let hash = 0x811c9dc5 ^ salt;
  for (let at = 0; at < text.length; at++) {
    hash = Math.imul(hash ^ text.charCodeAt(at), 0x01000193);
  }
  return hash >>> 0;
}

/** 64 bytes that follow from the text. */
export function standInSignature(text: string): Buffer {
  const bytes = Buffer.alloc(64);
  bytes.writeUInt32BE(checksum(text, 1), 0);
  bytes.writeUInt32BE(checksum(text, 2), 4);
  return bytes;
}

function ballotText({ vote_id, session_id, jti, exp }: Ballot): string {
  return `${vote_id}|${session_id}|${jti}|${exp}`;
}

/** The token is the ballot itself; its signature is made from it. */
export function ballotToken(ballot: Ballot): string {
  return JSON.stringify(ballot);
}

function signBallot(ballot: Ballot): Buffer {
  return standInSignature(ballotText(ballot));
}

/** Undefined for a ballot that identity opened, else why not. */
export function checkBallot({ ballot, kid, signature }: VoteRecord): string | undefined {
  const isGood = kid === ballotKid && signature.equals(signBallot(ballot));
  return isGood ? undefined : 'ballot signature is not valid';
}

/** Undefined for a seal of this log and place, or a final statement. */
export function checkControl(
  record: ControlRecord,
  logName: string,
  sealKid: string,
): string | undefined {
  if (record.kind === 'final') return undefined;
  const { log, partition, kid } = record.seal;
  if (log !== logName || partition !== record.partition) return 'seal of another place';
  return kid === sealKid ? undefined : 'seal by an unknown key';
}

export function receiptText(fields: ReceiptFields): string {
  const { vote_id, session_id, commitment, acceptedAtMs, region, partition } = fields;
  const { offset, durability } = fields;
  const what = [
    vote_id,
    session_id,
    commitment,
    acceptedAtMs,
    region,
    partition,
    offset,
    durability,
  ];
  return what.join('|');
}

/** What a vote id and an option are confirmed by; the same in every region. */
export function confirmation(voteId: string, optionNo: number): Confirmation {
  const bytes = Buffer.alloc(32);
  bytes.writeUInt32BE(checksum(voteId, optionNo), 0);
  bytes.writeUInt32BE(checksum(voteId, optionNo + 1000), 8);
  return { commitment: bytes.toString('base64url'), code: `${bytes.readUInt32BE(0)}` };
}

export function standInCrypto(random: Random): VoteCrypto {
  return {
    verifyBallot: (token, _keys, nowS): BallotVerdict => {
      if (!token.startsWith('{')) return { ok: false, reason: 'malformed' };
      const ballot = JSON.parse(token) as Ballot;
      if (ballot.exp <= nowS) return { ok: false, reason: 'expired' };
      return { ok: true, ballot, kid: ballotKid, signature: signBallot(ballot) };
    },
    confirm: confirmation,
    signReceipt: (fields) => ({
      kid: receiptKid,
      signature: standInSignature(receiptText(fields)),
    }),
    random8: () => random.bytes(8),
  };
}

const ignore = (): void => undefined;

/** Metrics nobody reads, whatever their names. */
export const noMetrics = new Proxy({}, { get: () => ignore }) as never;

/** A log nobody reads. */
export const silentLog = {
  trace: ignore,
  debug: ignore,
  info: ignore,
  warn: ignore,
  error: ignore,
  fatal: ignore,
} as unknown as Log;
