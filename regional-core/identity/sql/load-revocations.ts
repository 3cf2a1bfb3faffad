import type { Pool } from '#common/postgres.ts';
import { type Revocation, revocationMarginMs } from '../token/revocations.ts';

/** Revocations made since a time, of access tokens that a verifier may still take for good. */
export async function loadRevocations(
  pool: Pool,
  sinceMs: number,
  nowMs: number,
): Promise<readonly Revocation[]> {
  const { rows } = await pool.query<{ jti: string; expires_at: Date }>(
    `SELECT jti, expires_at FROM identity.revocations WHERE revoked_at >= $1 AND expires_at > $2`,
    [new Date(sinceMs), new Date(nowMs - revocationMarginMs)],
  );
  return rows.map((row) => ({ jti: row.jti, expiresAtMs: row.expires_at.getTime() }));
}
