import type { Pool } from '#common/postgres.ts';

/** The address that an unexpired verification token was sent to. */
export async function findRegistration(
  pool: Pool,
  tokenHash: Buffer,
  nowMs: number,
): Promise<string | undefined> {
  const { rows } = await pool.query<{ email: string }>(
    'SELECT email FROM identity.registrations WHERE token_hash = $1 AND expires_at > $2',
    [tokenHash, new Date(nowMs)],
  );
  return rows[0]?.email;
}
