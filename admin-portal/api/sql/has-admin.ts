import type { Pool } from '#common/postgres.ts';

export async function hasAdmin(pool: Pool): Promise<boolean> {
  const { rowCount } = await pool.query('SELECT FROM portal.admins LIMIT 1');
  return rowCount === 1;
}
