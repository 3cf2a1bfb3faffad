import type { Clock } from '#common/clock.ts';
import { ServiceError } from '#common/errors.ts';
import type { Pool } from '#common/postgres.ts';
import { findRefreshToken } from '../sql/find-refresh-token.ts';
import { revokeLogin } from '../sql/revoke-login.ts';
import type { AccessClaims } from '../token/access-token.ts';
import { opaqueTokenHash } from '../token/opaque-token.ts';
import type { Revocations } from '../token/revocations.ts';

export interface LogoutDeps {
  readonly pool: Pool;
  readonly revocations: Revocations;
  readonly clock: Clock;
}

/**
 * Ends the logins of both tokens, usually one and the same. Either is enough: who comes back with
 * an expired access token can still log out. Throws `invalid_token` when neither is good.
 *
 * @param claims of the access token, undefined when there is none or it is not good
 */
export async function logOut(
  deps: LogoutDeps,
  claims: AccessClaims | undefined,
  refreshToken: string | undefined,
): Promise<void> {
  const { pool, revocations, clock } = deps;
  const nowMs = clock.now();
  const held =
    refreshToken === undefined
      ? undefined
      : await findRefreshToken(pool, opaqueTokenHash(refreshToken), nowMs);
  const sessionIds = new Set([claims?.session_id, held?.sessionId]);
  sessionIds.delete(undefined);
  if (sessionIds.size === 0) throw new ServiceError('invalid_token');
  for (const sessionId of sessionIds) {
    await revocations.add(await revokeLogin(pool, sessionId!, nowMs));
  }
}
