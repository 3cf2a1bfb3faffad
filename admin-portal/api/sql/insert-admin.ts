import type { Db } from '#common/copies.ts';
import type { AdminRow } from './find-admin.ts';

/** Makes an admin for another one, whose id is `madeBy`; undefined, with nothing changed, when the address has one already. */
export async function insertAdmin(
  db: Db,
  admin: { readonly email: string; readonly passwordHash: string; readonly madeBy: string },
): Promise<AdminRow | undefined> {
  const { rows } = await db.query<AdminRow>(
    `INSERT INTO portal.admins (email, password_hash, role, made_by)
     VALUES ($1, $2, 'admin', $3)
     ON CONFLICT (email) DO NOTHING
     RETURNING admin_id, email, password_hash, role`,
    [admin.email, admin.passwordHash, admin.madeBy],
  );
  return rows[0];
}
