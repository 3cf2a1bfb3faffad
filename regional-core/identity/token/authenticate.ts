import type { Context } from 'koa';
import type { Clock } from '#common/clock.ts';
import { ServiceError } from '#common/errors.ts';
import { bearerToken } from '#common/http.ts';
import type { AccessClaims, AccessVerifier } from './access-token.ts';
import type { Revocations } from './revocations.ts';

export interface AuthenticateDeps {
  readonly verifyAccess: AccessVerifier;
  readonly revocations: Revocations;
  readonly clock: Clock;
}

/** Who sends this request. Throws `invalid_token` when that is not proven, or revoked. */
export async function authenticate(
  deps: AuthenticateDeps,
  context: Context,
): Promise<AccessClaims> {
  const claims = await deps.verifyAccess(bearerToken(context), deps.clock.now());
  if (await deps.revocations.isRevoked(claims.jti)) throw new ServiceError('invalid_token');
  return claims;
}
