import type { KeyObject } from 'node:crypto';
import { timingSafeEqual } from 'node:crypto';
import { normalizeBase32 } from '#common/base32.ts';
import { confirm } from '#common/confirmation.ts';
import { type Receipt, verifyReceipt } from '#common/contracts/receipt.ts';
import type { PublicKeys } from '#common/keys.ts';

/** What the header `Vote-Proof` may bring: a receipt of this vote, or a code to be compared. */
export type Proof =
  | { readonly kind: 'receipt'; readonly receipt: Receipt }
  | { readonly kind: 'code'; readonly code: string };

const codeSymbols = 10;

/** Reads the header; undefined for what proves nothing about this vote. */
export function readProof(header: string, voteId: string, keys: PublicKeys): Proof | undefined {
  // A receipt is a compact JWS, a code has no dots.
  if (header.includes('.')) {
    const receipt = verifyReceipt(header, keys);
    return receipt?.vote_id === voteId ? { kind: 'receipt', receipt } : undefined;
  }
  const code = normalizeBase32(header);
  return code?.length === codeSymbols ? { kind: 'code', code } : undefined;
}

/** True when the code is the one of this vote and option. */
export function isCodeOf(code: string, key: KeyObject, voteId: string, optionNo: number): boolean {
  const expected = Buffer.from(normalizeBase32(confirm(key, voteId, optionNo).code) ?? '');
  const given = Buffer.from(code);
  return given.length === expected.length && timingSafeEqual(given, expected);
}
