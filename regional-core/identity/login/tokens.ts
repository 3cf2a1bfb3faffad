import { DAY_MS } from '#common/clock.ts';
import type { SigningKey } from '#common/keys.ts';
import type { NewRefreshToken } from '../sql/start-login.ts';
import {
  type AccessClaims,
  accessLifetimeS,
  newAccessClaims,
  signAccessToken,
} from '../token/access-token.ts';
import { newOpaqueToken, opaqueTokenHash } from '../token/opaque-token.ts';

const refreshLifetimeMs = 7 * DAY_MS;

/** What a login and each refresh of it hand out. */
export interface TokensAnswer {
  readonly user_id: string;
  readonly access_token: string;
  readonly refresh_token: string;
  readonly expires_in: number;
  readonly token_type: 'Bearer';
}

/** A pair of tokens: what the client gets, and what is stored of them. */
export async function newTokens(
  login: Pick<AccessClaims, 'sub' | 'vid' | 'acr' | 'session_id'>,
  accessKey: SigningKey,
  nowMs: number,
): Promise<{ answer: TokensAnswer; stored: NewRefreshToken }> {
  // An account exists from the verification of its address on.
  const claims = newAccessClaims({ ...login, verified: true }, nowMs);
  const refreshToken = newOpaqueToken();
  return {
    answer: {
      user_id: login.sub,
      access_token: await signAccessToken(claims, accessKey),
      refresh_token: refreshToken,
      expires_in: accessLifetimeS,
      token_type: 'Bearer',
    },
    stored: {
      tokenHash: opaqueTokenHash(refreshToken),
      expiresAtMs: nowMs + refreshLifetimeMs,
      accessJti: claims.jti,
      accessExpiresAtMs: claims.exp * 1000,
    },
  };
}
