import type { Pool } from '#common/postgres.ts';

/** Makes an admin whom no other one made; changes nothing when the address has an account. */
export async function createFirstAdmin(
  pool: Pool,
  admin: { readonly email: string; readonly passwordHash: string },
): Promise<void> {
  await pool.query(
    `INSERT INTO portal.admins (email, password_hash, role) VALUES ($1, $2, 'admin')
     ON CONFLICT (email) DO NOTHING`,
    [admin.email, admin.passwordHash],
  );
}
