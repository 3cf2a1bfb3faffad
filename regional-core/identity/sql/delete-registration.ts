import type { Pool } from '#common/postgres.ts';

/** Spends a link that did its work: from here on it is good for nothing. */
export async function deleteRegistration(pool: Pool, tokenHash: Buffer): Promise<void> {
  await pool.query('DELETE FROM identity.registrations WHERE token_hash = $1', [tokenHash]);
}
