import type { Db } from '#common/copies.ts';
import type { AdminRow } from './find-admin.ts';

/** Makes an admin; undefined, with nothing changed, when the address has one already. */
export async function insertAdmin(
  db: Db,
  admin: { readonly email: string; readonly passwordHash: string },
): Promise<AdminRow | undefined> {
  const { rows } = await db.query<AdminRow>(
    `INSERT INTO portal.admins (email, password_hash, role) VALUES ($1, $2, 'admin')
     ON CONFLICT (email) DO NOTHING
     RETURNING admin_id, email, password_hash, role`,
    [admin.email, admin.passwordHash],
  );
  return rows[0];
}
