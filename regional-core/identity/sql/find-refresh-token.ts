import type { Strength } from '#common/contracts/ballot-token.ts';
import type { Pool } from '#common/postgres.ts';

/** `isSpent`: exchanged before; whoever shows it again ends the login. */
export interface HeldRefreshToken {
  readonly sessionId: string;
  readonly userId: string;
  readonly voterId: Buffer;
  readonly acr: Strength;
  readonly isSpent: boolean;
}

interface Row {
  session_id: string;
  user_id: string;
  voter_id: Buffer;
  acr: Strength;
  is_spent: boolean;
}

/** An unexpired refresh token of a login that was not revoked, with whom it belongs to. */
export async function findRefreshToken(
  pool: Pool,
  tokenHash: Buffer,
  nowMs: number,
): Promise<HeldRefreshToken | undefined> {
  const { rows } = await pool.query<Row>(
    `SELECT session_id, user_id, voter_id, acr, spent_at IS NOT NULL AS is_spent
     FROM identity.refresh_tokens AS token
     JOIN identity.logins USING (session_id)
     JOIN identity.users USING (user_id)
     WHERE token_hash = $1 AND token.expires_at > $2 AND revoked_at IS NULL`,
    [tokenHash, new Date(nowMs)],
  );
  const row = rows[0];
  return (
    row && {
      sessionId: row.session_id,
      userId: row.user_id,
      voterId: row.voter_id,
      acr: row.acr,
      isSpent: row.is_spent,
    }
  );
}
