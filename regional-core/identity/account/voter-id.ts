import { createHmac } from 'node:crypto';

/**
 * The voter id of an account: an HMAC of its first verified e-mail. Made once, when that address is
 * verified, and never again: changing the address later changes nothing, and registering anew with
 * it after a deletion gives the same voter.
 *
 * @param email as `normalizeEmail` gives it
 * @returns 32 bytes
 */
export function accountVoterId(key: Buffer, email: string): Buffer {
  return createHmac('sha256', key).update('email').update(email).digest();
}
