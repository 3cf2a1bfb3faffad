import { createHmac, type KeyObject } from 'node:crypto';
import type { EligibilityPolicy } from '#common/contracts/session.ts';
import { uuidV8 } from '#common/uuid.ts';

/**
 * The vote id of a voter in a session: a function of the session's secret and the voter id alone,
 * so every ballot of one voter carries the same, in every region, with every store down. The policy
 * is part of what is hashed: a code never meets an account.
 *
 * @param secret a KeyObject: with a Buffer the same HMAC costs 17 µs in place of 3
 * @param voterId the code's serial, or the account's voter id (base64url)
 */
export function voteIdOf(secret: KeyObject, policy: EligibilityPolicy, voterId: string): string {
  return uuidV8(createHmac('sha256', secret).update(`${policy}:${voterId}`).digest());
}
