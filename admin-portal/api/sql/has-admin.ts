import type { Pool } from '#common/postgres.ts';

/** True stays true; false may be over at once, when another process makes the first admin. */
export async function hasAdmin(pool: Pool): Promise<boolean> {
  const { rowCount } = await pool.query('SELECT FROM portal.admins LIMIT 1');
  return rowCount === 1;
}
