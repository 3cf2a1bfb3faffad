import type { Pool } from '#common/postgres.ts';

/** Inserts an admin if there is none; false when there was one already. */
export async function createFirstAdmin(
  pool: Pool,
  admin: { readonly email: string; readonly passwordHash: string },
): Promise<boolean> {
  const { rowCount } = await pool.query(
    `INSERT INTO portal.admins (email, password_hash, role)
     SELECT $1, $2, 'admin' WHERE NOT EXISTS (SELECT FROM portal.admins)
     ON CONFLICT (email) DO NOTHING`,
    [admin.email, admin.passwordHash],
  );
  return rowCount === 1;
}
