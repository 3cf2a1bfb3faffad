import { createHash, sign, verify } from 'node:crypto';
import {
  importPublicKeys,
  type PublicJwk,
  type PublicKeys,
  type SigningKey,
  toPublicJwk,
} from '../keys.ts';
import { isUuid } from '../uuid.ts';

/**
 * An act: what two people decide together. Its body is JSON in one canonical form (members in the
 * order of the types below, no spaces), so that the same decision is the same bytes wherever it is
 * written. SHA-256 of the body names the act, and is what each of them signs:
 *
 *   signed text = "vote-act-v1:" | act hash, 64 lower-case hex digits         Ed25519, 64 bytes
 */
export type Act = FinaliseAct | DeclareLostAct | VoidAct;

/** The result is this. Each signer has recounted it. */
export interface FinaliseAct {
  readonly act: 'finalise';
  readonly session_id: string;
  readonly session_version: number;
  /** Of the rows that count, hex; see `digest.ts`. */
  readonly digest: string;
  readonly total: number;
  /** By option number; they add up to `total`. */
  readonly counts: readonly number[];
  /** What each recount gave: the digest, and `equal` for tallies, which have none. */
  readonly recounts: { readonly rows: string; readonly tallies: 'equal'; readonly kafka: string };
  /** Log → next offset per partition that the recount stands on, logs in order of their names. */
  readonly covers: Readonly<Record<string, readonly number[]>>;
}

/** A region's log is never read again. Names the epoch it ends, so it cannot be replayed later. */
export interface DeclareLostAct {
  readonly act: 'declare_lost';
  readonly region: string;
  readonly epoch: number;
}

/** Takes counted votes out in the open, or puts them back. */
export interface VoidAct {
  readonly act: 'void' | 'restore';
  readonly session_id: string;
  /** How many the session has already: the same votes taken out once more is another act. */
  readonly corrections: number;
  /** In order, each once. */
  readonly vote_ids: readonly string[];
  readonly reason: string;
}

export type ActKind = Act['act'];

/** 1,000 vote ids and room; a final statement with its signatures stays below 64 kB. */
export const actBodyBytesMax = 60_000;
export const actVotesMax = 1000;
const actReasonLengthMax = 500;
const optionsMax = 100;
const logsMax = 32;
const partitionsMax = 1000;

/** A signature, as it is sent and kept: base64url. */
export interface ActSignature {
  readonly kid: string;
  readonly signature: string;
}

/** A registered public key and whose it is. */
export interface ApprovalKey {
  readonly x: string;
  readonly adminId: string;
}

/** Keys registered up to the moment they were read. Both maps name the same kids. */
export interface ApprovalKeys {
  readonly keys: PublicKeys;
  /** kid → the admin who registered it. */
  readonly owners: ReadonlyMap<string, string>;
}

/** Registered keys, ready to verify with. */
export function importApprovalKeys(registered: readonly ApprovalKey[]): ApprovalKeys {
  const named = registered.map(({ x, adminId }) => ({ jwk: approvalJwk(x), adminId }));
  return {
    keys: importPublicKeys(named.map(({ jwk }) => jwk)),
    owners: new Map(named.map(({ jwk, adminId }) => [jwk.kid, adminId])),
  };
}

/** The public key of an `x`. Throws an Error when that is not 32 bytes in base64url. */
export function approvalJwk(x: string): PublicJwk {
  const bytes = Buffer.from(x, 'base64url');
  if (bytes.length !== 32 || bytes.toString('base64url') !== x) {
    throw new Error('x is not 32 bytes in base64url');
  }
  return toPublicJwk({ kty: 'OKP', crv: 'Ed25519', x });
}

/** The act's one form. Bring it through `parseAct` when it is somebody else's. */
export function actBody(act: Act): string {
  return JSON.stringify(canonical(act));
}

/**
 * Reads a body. Undefined for what is not an act in canonical form, is too large, or contradicts
 * itself (counts that do not add up, recounts that differ).
 */
export function parseAct(body: string): Act | undefined {
  if (Buffer.byteLength(body) > actBodyBytesMax) return undefined;
  let act: Act;
  try {
    act = JSON.parse(body) as Act;
  } catch {
    return undefined;
  }
  if (act === null || typeof act !== 'object' || !isWellFormed(act)) return undefined;
  return actBody(act) === body ? act : undefined;
}

/** SHA-256 of the body, lower-case hex: the act's name. */
export function actHash(body: string): string {
  return createHash('sha256').update(body).digest('hex');
}

/** 64 hexadecimal digits in lower case. */
export function isActHash(text: unknown): text is string {
  return typeof text === 'string' && /^[0-9a-f]{64}$/.test(text);
}

function signedText(hash: string): Buffer {
  return Buffer.from(`vote-act-v1:${hash}`);
}

/** Signs a body for the holder of the key. */
export function signAct(body: string, key: SigningKey): ActSignature {
  const signature = sign(null, signedText(actHash(body)), key.privateKey);
  return { kid: key.kid, signature: signature.toString('base64url') };
}

/** True when the signature is this key's for the act of that hash; false for an unknown key. */
export function verifyActSignature(
  hash: string,
  { kid, signature }: ActSignature,
  keys: PublicKeys,
): boolean {
  const key = keys.get(kid);
  const bytes = Buffer.from(signature, 'base64url');
  if (key === undefined || bytes.length !== 64 || bytes.toString('base64url') !== signature) {
    return false;
  }
  return verify(null, signedText(hash), key, bytes);
}

/** `same_person`: two keys, registered by one admin. */
export type AgreementVerdict =
  | { readonly ok: true }
  | {
      readonly ok: false;
      readonly reason: 'not_two' | 'unknown_key' | 'same_key' | 'same_person' | 'signature';
    };

/** Two people agree: two signatures of one hash, by two registered keys of two admins. */
export function verifyAgreement(
  hash: string,
  signatures: readonly ActSignature[],
  { keys, owners }: ApprovalKeys,
): AgreementVerdict {
  const [first, second, more] = signatures;
  if (first === undefined || second === undefined || more !== undefined) {
    return { ok: false, reason: 'not_two' };
  }
  if (first.kid === second.kid) return { ok: false, reason: 'same_key' };
  if (!keys.has(first.kid) || !keys.has(second.kid)) return { ok: false, reason: 'unknown_key' };
  if (owners.get(first.kid) === owners.get(second.kid)) {
    return { ok: false, reason: 'same_person' };
  }
  const areGood = [first, second].every((one) => verifyActSignature(hash, one, keys));
  return areGood ? { ok: true } : { ok: false, reason: 'signature' };
}

/** The same act with its members in order; what is not one of them is left behind. */
function canonical(act: Act): Act {
  switch (act.act) {
    case 'finalise':
      return {
        act: act.act,
        session_id: act.session_id,
        session_version: act.session_version,
        digest: act.digest,
        total: act.total,
        counts: act.counts,
        recounts: {
          rows: act.recounts.rows,
          tallies: act.recounts.tallies,
          kafka: act.recounts.kafka,
        },
        covers: Object.fromEntries(
          Object.entries(act.covers).toSorted(([a], [b]) => (a < b ? -1 : 1)),
        ),
      };
    case 'declare_lost':
      return { act: act.act, region: act.region, epoch: act.epoch };
    case 'void':
    case 'restore':
      return {
        act: act.act,
        session_id: act.session_id,
        corrections: act.corrections,
        vote_ids: act.vote_ids.toSorted(),
        reason: act.reason,
      };
  }
}

function isWellFormed(act: Act): boolean {
  switch (act.act) {
    case 'finalise':
      return isFinalise(act);
    case 'declare_lost':
      return isRegion(act.region) && isCount(act.epoch) && act.epoch >= 1 && act.epoch <= 8191;
    case 'void':
    case 'restore':
      return isVoid(act);
    default:
      return false;
  }
}

function isFinalise(act: FinaliseAct): boolean {
  const { session_id, session_version, digest, total, counts, recounts, covers } = act;
  return (
    isUuid(session_id) &&
    isCount(session_version) &&
    isActHash(digest) &&
    isCount(total) &&
    isCounts(counts, optionsMax) &&
    counts.length >= 2 &&
    counts.reduce((sum, count) => sum + count, 0) === total &&
    recounts?.rows === digest &&
    recounts.tallies === 'equal' &&
    recounts.kafka === digest &&
    isCovers(covers)
  );
}

function isCovers(covers: unknown): boolean {
  if (covers === null || typeof covers !== 'object' || Array.isArray(covers)) return false;
  const logs = Object.entries(covers);
  return (
    logs.length <= logsMax &&
    logs.every(([log, offsets]) => isLog(log) && isCounts(offsets, partitionsMax))
  );
}

function isVoid({ session_id, corrections, vote_ids, reason }: VoidAct): boolean {
  return (
    isUuid(session_id) &&
    isCount(corrections) &&
    Array.isArray(vote_ids) &&
    vote_ids.length >= 1 &&
    vote_ids.length <= actVotesMax &&
    vote_ids.every(isUuid) &&
    new Set(vote_ids).size === vote_ids.length &&
    typeof reason === 'string' &&
    reason.trim() === reason &&
    reason.length >= 1 &&
    reason.length <= actReasonLengthMax &&
    reason.isWellFormed() &&
    !/\p{Cc}/u.test(reason)
  );
}

const regionPattern = '[A-Za-z][\\w-]{0,39}';

function isRegion(text: unknown): boolean {
  return typeof text === 'string' && new RegExp(`^${regionPattern}$`).test(text);
}

/** A region, or a standby: `region@host`. */
export function isLog(text: string): boolean {
  return new RegExp(`^${regionPattern}(@${regionPattern})?$`).test(text);
}

function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}

function isCounts(value: unknown, entriesMax: number): value is number[] {
  return Array.isArray(value) && value.length <= entriesMax && value.every(isCount);
}
