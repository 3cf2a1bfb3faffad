import { createHmac, type KeyObject } from 'node:crypto';
import { encodeBase32, groupSymbols } from './base32.ts';
import { uuidToBytes } from './uuid.ts';

/**
 * What ties a vote to its choice without showing it: an HMAC-SHA-256 over vote id (16 bytes) and
 * option number (2 bytes). Its key belongs to intake and records; identity, which knows the voter,
 * never has it.
 */
export interface Confirmation {
  /** The whole HMAC, base64url; stands in the receipt. */
  readonly commitment: string;
  /** Its first 50 bits in Crockford base32, `XXXXX-XXXXX`; shown to the voter. */
  readonly code: string;
}

/**
 * The same for the same key, vote and option, in every region. `optionNo` is a u16: of a larger
 * number the upper bits play no part. Throws a TypeError for a vote id that is no canonical UUID.
 */
export function confirm(key: KeyObject, voteId: string, optionNo: number): Confirmation {
  const mac = createHmac('sha256', key)
    .update('confirmation/v1')
    .update(uuidToBytes(voteId))
    .update(Uint8Array.of(optionNo >> 8, optionNo & 0xff))
    .digest();
  return {
    commitment: mac.toString('base64url'),
    code: groupSymbols(encodeBase32(mac, 10), 5),
  };
}
