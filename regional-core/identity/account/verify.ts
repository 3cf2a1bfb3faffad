import { randomUUID } from 'node:crypto';
import type { Clock } from '#common/clock.ts';
import type { Copies } from '#common/copies.ts';
import { ServiceError } from '#common/errors.ts';
import type { Pool } from '#common/postgres.ts';
import { completeRegistration } from '../sql/complete-registration.ts';
import { deleteRegistration } from '../sql/delete-registration.ts';
import { findRegistration } from '../sql/find-registration.ts';
import { opaqueTokenHash } from '../token/opaque-token.ts';
import { accountVoterId } from './voter-id.ts';

export interface VerifyDeps {
  readonly pool: Pool;
  readonly copies: Copies;
  readonly clock: Clock;
  readonly voterIdKey: Buffer;
}

/**
 * Makes the account that a link was sent for; its voter id is fixed here, for ever. Throws
 * `invalid_verification` for a token that is unknown, spent or expired, and `outcome_unknown` while
 * the database's copies do not have the account: the link can be followed again then.
 */
export async function verify(deps: VerifyDeps, token: string): Promise<void> {
  const { pool, copies, clock, voterIdKey } = deps;
  const tokenHash = opaqueTokenHash(token);
  const email = await findRegistration(pool, tokenHash, clock.now());
  if (email === undefined) throw new ServiceError('invalid_verification');
  const account = { userId: randomUUID(), voterId: accountVoterId(voterIdKey, email) };
  if (!(await copies.write((db) => completeRegistration(db, tokenHash, account)))) {
    throw new ServiceError('invalid_verification');
  }
  await deleteRegistration(pool, tokenHash);
}
