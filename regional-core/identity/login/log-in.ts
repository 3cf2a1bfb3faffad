import { randomUUID } from 'node:crypto';
import { addressKey } from '#common/address-key.ts';
import type { Clock } from '#common/clock.ts';
import { ServiceError } from '#common/errors.ts';
import type { SigningKey } from '#common/keys.ts';
import type { Bulkhead } from '#common/password/bulkhead.ts';
import { isPasswordOf, nobodysHash } from '#common/password/password-hash.ts';
import type { Pool } from '#common/postgres.ts';
import { normalizeEmail } from '../account/email-address.ts';
import type { Limiter } from '../limit/limiter.ts';
import { limits } from '../limit/limits.ts';
import { type Credentials, findCredentials } from '../sql/find-credentials.ts';
import { startLogin } from '../sql/start-login.ts';
import { newTokens, type TokensAnswer } from './tokens.ts';

export interface LoginDeps {
  readonly pool: Pool;
  readonly limiter: Limiter;
  readonly bulkhead: Bulkhead;
  readonly accessKey: SigningKey;
  readonly clock: Clock;
}

interface LoginRequest {
  readonly email: string;
  readonly password: string;
  /** The voter's network address, as the edge says. */
  readonly address: string;
}

/**
 * Checks a password and starts a login. An unknown address costs the same hash as a known one, and
 * only who knows the password learns that the address still waits for its verification.
 *
 * Throws `invalid_credentials`, `email_not_verified`, `rate_limit_exceeded`, `overloaded`.
 */
export async function logIn(deps: LoginDeps, request: LoginRequest): Promise<TokensAnswer> {
  const { pool, accessKey, clock } = deps;
  const credentials = await checkPassword(deps, request);
  const { account } = credentials;
  if (account === undefined) throw new ServiceError('email_not_verified');
  const login = { session_id: randomUUID(), acr: 'password' } as const;
  const vid = account.voterId.toString('base64url');
  const tokens = await newTokens({ ...login, sub: account.userId, vid }, accessKey, clock.now());
  const { session_id: sessionId, acr } = login;
  await startLogin(pool, { sessionId, userId: account.userId, acr }, tokens.stored);
  return tokens.answer;
}

async function checkPassword(deps: LoginDeps, request: LoginRequest): Promise<Credentials> {
  const { pool, limiter, bulkhead, clock } = deps;
  const email = normalizeEmail(request.email);
  if (email === undefined) throw new ServiceError('invalid_credentials');
  const address = addressKey(request.address);
  // Taken before the answer is known, so that attempts sent at once are counted as well.
  await limiter.take(limits.loginAddress, address);
  await limiter.take(limits.loginAccount, email);
  let isWrong = false;
  try {
    const credentials = await findCredentials(pool, email, clock.now());
    const hash = credentials?.passwordHash ?? nobodysHash;
    isWrong = !(await bulkhead.run(() => isPasswordOf(hash, request.password)));
    if (isWrong || credentials === undefined) throw new ServiceError('invalid_credentials');
    return credentials;
  } finally {
    if (!isWrong) {
      await limiter.giveBack(limits.loginAddress, address);
      await limiter.giveBack(limits.loginAccount, email);
    }
  }
}
