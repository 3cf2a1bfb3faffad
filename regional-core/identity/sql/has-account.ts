import type { Pool } from '#common/postgres.ts';

/** Asks for exactly this spelling: give it what `normalizeEmail` made. */
export async function hasAccount(pool: Pool, email: string): Promise<boolean> {
  const { rowCount } = await pool.query('SELECT FROM identity.users WHERE email = $1', [email]);
  return rowCount === 1;
}
