import { sign, verify } from 'node:crypto';
import { toTimestamp } from '../clock.ts';
import type { PublicKeys, SigningKey } from '../keys.ts';
import { isUuid } from '../uuid.ts';

/**
 * The receipt: a compact JWS (EdDSA) by which a region's intake states that a vote lies in its log.
 * It commits to the choice (an HMAC) without showing it. Members stand in this order, so that a
 * stored signature and the fields give the same receipt again, byte for byte.
 */
export interface Receipt {
  readonly vote_id: string;
  readonly session_id: string;
  /** HMAC over vote id and option, base64url; its first 50 bits are the confirmation code. */
  readonly commitment: string;
  /** RFC 3339 UTC with milliseconds. */
  readonly accepted_at: string;
  readonly region: string;
  readonly partition: number;
  /** Kafka offset; a safe integer. */
  readonly offset: number;
  readonly durability: Durability;
}

/** Where copies lie when the receipt is given: one broker (local), one region, or two regions. */
export const durabilities = ['single', 'region', 'two-regions'] as const;
export type Durability = (typeof durabilities)[number];

/** Longest receipt accepted, in characters: a real one has about 560. */
export const receiptLengthMax = 1024;

/** What a receipt is made from: its members, with the time in whole ms since the epoch. */
export interface ReceiptFields extends Omit<Receipt, 'accepted_at'> {
  readonly acceptedAtMs: number;
}

/**
 * The 64 bytes of an Ed25519 signature. With the fields and the key's kid they are the whole
 * receipt (`assembleReceipt`), so that a store need not keep its text.
 */
export function signReceipt(fields: ReceiptFields, key: SigningKey): Buffer {
  return sign(null, Buffer.from(receiptSigningInput(fields, key.kid)), key.privateKey);
}

/** The receipt as it is handed out, from its fields and the signature made for them. */
export function assembleReceipt(fields: ReceiptFields, kid: string, signature: Buffer): string {
  return `${receiptSigningInput(fields, kid)}.${signature.toString('base64url')}`;
}

/** The receipt's content when its signature is good under one of the keys, else undefined. */
export function verifyReceipt(token: string, keys: PublicKeys): Receipt | undefined {
  if (token.length > receiptLengthMax) return undefined;
  const [header, payload, signaturePart, more] = token.split('.');
  if (!header || !payload || !signaturePart || more !== undefined) return undefined;
  const kid = [...keys.keys()].find((candidate) => receiptHeader(candidate) === header);
  if (kid === undefined) return undefined;
  const signature = Buffer.from(signaturePart, 'base64url');
  // One receipt, one text: base64url may be written with other spare bits, or with padding.
  if (signature.toString('base64url') !== signaturePart) return undefined;
  const signed = Buffer.from(`${header}.${payload}`);
  if (!verify(null, signed, keys.get(kid)!, signature)) return undefined;
  // Only intake signs with these keys, so a good signature vouches for the shape; ids are still
  // checked, because they go into queries.
  const receipt = JSON.parse(Buffer.from(payload, 'base64url').toString()) as Receipt;
  return isUuid(receipt.vote_id) && isUuid(receipt.session_id) ? receipt : undefined;
}

function receiptHeader(kid: string): string {
  return Buffer.from(`{"alg":"EdDSA","kid":"${kid}","typ":"receipt+jws"}`).toString('base64url');
}

function receiptSigningInput(fields: ReceiptFields, kid: string): string {
  const payload: Receipt = {
    vote_id: fields.vote_id,
    session_id: fields.session_id,
    commitment: fields.commitment,
    accepted_at: toTimestamp(fields.acceptedAtMs),
    region: fields.region,
    partition: fields.partition,
    offset: fields.offset,
    durability: fields.durability,
  };
  return `${receiptHeader(kid)}.${Buffer.from(JSON.stringify(payload)).toString('base64url')}`;
}
