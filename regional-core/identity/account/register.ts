import { addressKey } from '#common/address-key.ts';
import { type Clock, DAY_MS } from '#common/clock.ts';
import { ServiceError } from '#common/errors.ts';
import type { Bulkhead } from '#common/password/bulkhead.ts';
import { hashPassword } from '#common/password/password-hash.ts';
import type { Pool } from '#common/postgres.ts';
import type { Limiter } from '../limit/limiter.ts';
import { limits } from '../limit/limits.ts';
import type { Mailer } from '../mail/mailer.ts';
import { accountExistsMail, verificationMail } from '../mail/texts.ts';
import { hasAccount } from '../sql/has-account.ts';
import { insertRegistration } from '../sql/insert-registration.ts';
import { newOpaqueToken, opaqueTokenHash } from '../token/opaque-token.ts';
import { normalizeEmail } from './email-address.ts';

export interface RegisterDeps {
  readonly pool: Pool;
  readonly limiter: Limiter;
  readonly bulkhead: Bulkhead;
  readonly mailer: Mailer;
  readonly clock: Clock;
  readonly publicUrl: string;
}

const linkLifetimeMs = DAY_MS;

/**
 * Keeps a registration and mails its link; whoever has an account is told so by mail. Nothing here
 * tells the two apart: the password is hashed and a mail is sent in both cases, and an address that
 * has had its mails for now gets the same answer without one.
 *
 * Throws `invalid_request` (no address), `rate_limit_exceeded` (by network address), `overloaded`,
 * `not_ready`.
 */
export async function register(
  deps: RegisterDeps,
  request: { readonly email: string; readonly password: string; readonly address: string },
): Promise<void> {
  const { pool, limiter, bulkhead, mailer, clock, publicUrl } = deps;
  const email = normalizeEmail(request.email);
  if (email === undefined) {
    const message = 'email: This is not an e-mail address that mail can be sent to.';
    throw new ServiceError('invalid_request', { message });
  }
  await limiter.take(limits.registerAddress, addressKey(request.address));
  const passwordHash = await bulkhead.run(() => hashPassword(request.password));
  if (!(await limiter.tryTake(limits.registerEmail, email))) return;
  if (await hasAccount(pool, email)) return mailer.send(email, accountExistsMail(publicUrl));
  const token = newOpaqueToken();
  await insertRegistration(pool, {
    tokenHash: opaqueTokenHash(token),
    email,
    passwordHash,
    expiresAtMs: clock.now() + linkLifetimeMs,
  });
  await mailer.send(email, verificationMail(`${publicUrl}/verify?token=${token}`));
}
