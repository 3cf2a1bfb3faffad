import type { Clock } from '#common/clock.ts';
import { ServiceError } from '#common/errors.ts';
import type { SigningKey } from '#common/keys.ts';
import type { Counter } from '#common/metrics.ts';
import type { Pool } from '#common/postgres.ts';
import { findRefreshToken } from '../sql/find-refresh-token.ts';
import { revokeLogin } from '../sql/revoke-login.ts';
import { rotateRefreshToken } from '../sql/rotate-refresh-token.ts';
import { opaqueTokenHash } from '../token/opaque-token.ts';
import type { Revocations } from '../token/revocations.ts';
import { newTokens, type TokensAnswer } from './tokens.ts';

export interface RefreshDeps {
  readonly pool: Pool;
  readonly accessKey: SigningKey;
  readonly revocations: Revocations;
  readonly clock: Clock;
  readonly refreshReusedTotal: Counter;
}

/**
 * Exchanges a refresh token for a new pair. A token seen a second time is in two hands, and nobody
 * can say which is the thief's: the whole login ends, its access tokens too (RFC 9700 section
 * 4.14).
 *
 * Throws `invalid_token`.
 */
export async function refresh(deps: RefreshDeps, token: string): Promise<TokensAnswer> {
  const { pool, accessKey, clock } = deps;
  const nowMs = clock.now();
  const tokenHash = opaqueTokenHash(token);
  const held = await findRefreshToken(pool, tokenHash, nowMs);
  if (held === undefined) throw new ServiceError('invalid_token');
  if (!held.isSpent) {
    const { userId: sub, sessionId, acr } = held;
    const vid = held.voterId.toString('base64url');
    const tokens = await newTokens({ sub, vid, acr, session_id: sessionId }, accessKey, nowMs);
    if (await rotateRefreshToken(pool, tokenHash, tokens.stored)) return tokens.answer;
  }
  deps.refreshReusedTotal.inc();
  await deps.revocations.add(await revokeLogin(pool, held.sessionId, nowMs));
  throw new ServiceError('invalid_token');
}
