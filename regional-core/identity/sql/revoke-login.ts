import type { Pool } from '#common/postgres.ts';
import type { Revocation } from '../token/revocations.ts';

/**
 * Ends a login: none of its refresh tokens is good any more, and every access token given with one
 * that has not expired is revoked. Safe to repeat. Gives the access tokens revoked.
 */
export async function revokeLogin(
  pool: Pool,
  sessionId: string,
  nowMs: number,
): Promise<readonly Revocation[]> {
  // By itself: it waits for a refresh under way, and what that stores is seen only after it.
  await pool.query(
    'UPDATE identity.logins SET revoked_at = now() WHERE session_id = $1 AND revoked_at IS NULL',
    [sessionId],
  );
  const { rows } = await pool.query<{ access_jti: string; access_expires_at: Date }>(
    `WITH live AS (
       SELECT access_jti, access_expires_at FROM identity.refresh_tokens
       WHERE session_id = $1 AND access_expires_at > $2
     ), revoked AS (
       INSERT INTO identity.revocations (jti, expires_at)
       SELECT access_jti, access_expires_at FROM live ON CONFLICT DO NOTHING
     )
     SELECT access_jti, access_expires_at FROM live`,
    [sessionId, new Date(nowMs)],
  );
  return rows.map((row) => ({
    jti: row.access_jti,
    expiresAtMs: row.access_expires_at.getTime(),
  }));
}
