import type { Pool } from '#common/postgres.ts';

/** What is stored of a pair of tokens: nothing that could be shown in place of one. */
export interface NewRefreshToken {
  readonly tokenHash: Buffer;
  readonly expiresAtMs: number;
  /** The access token given together with it. */
  readonly accessJti: string;
  readonly accessExpiresAtMs: number;
}

/** Stores a login and its first refresh token. */
export async function startLogin(
  pool: Pool,
  login: { readonly sessionId: string; readonly userId: string; readonly acr: string },
  token: NewRefreshToken,
): Promise<void> {
  await pool.query(
    `WITH login AS (
       INSERT INTO identity.logins (session_id, user_id, acr, expires_at) VALUES ($1, $2, $3, $5)
     )
     INSERT INTO identity.refresh_tokens
       (token_hash, session_id, expires_at, access_jti, access_expires_at)
     VALUES ($4, $1, $5, $6, $7)`,
    [
      login.sessionId,
      login.userId,
      login.acr,
      token.tokenHash,
      new Date(token.expiresAtMs),
      token.accessJti,
      new Date(token.accessExpiresAtMs),
    ],
  );
}
