import type { Pool } from '#common/postgres.ts';
import type { NewRefreshToken } from './start-login.ts';

/**
 * Spends a refresh token and stores its successor, both or neither. False when somebody else has
 * spent it in the meantime, or the login was revoked.
 */
export async function rotateRefreshToken(
  pool: Pool,
  spentHash: Buffer,
  next: NewRefreshToken,
): Promise<boolean> {
  const { rowCount } = await pool.query(
    `WITH spent AS (
       UPDATE identity.refresh_tokens SET spent_at = now()
       WHERE token_hash = $1 AND spent_at IS NULL
       RETURNING session_id
     ), login AS (
       UPDATE identity.logins SET expires_at = $3
       WHERE session_id = (SELECT session_id FROM spent) AND revoked_at IS NULL
       RETURNING session_id
     )
     INSERT INTO identity.refresh_tokens
       (token_hash, session_id, expires_at, access_jti, access_expires_at)
     SELECT $2, session_id, $3, $4, $5 FROM login`,
    [
      spentHash,
      next.tokenHash,
      new Date(next.expiresAtMs),
      next.accessJti,
      new Date(next.accessExpiresAtMs),
    ],
  );
  return rowCount === 1;
}
