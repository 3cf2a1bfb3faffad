import type { Db } from '#common/copies.ts';

/** `password_hash` is for `PasswordHasher.verify` alone: no answer and no log line has it. */
export interface AdminRow {
  readonly admin_id: string;
  readonly email: string;
  readonly password_hash: string;
  readonly role: 'admin';
}

/** The admin with this address (lower case), if there is one. */
export async function findAdmin(db: Db, email: string): Promise<AdminRow | undefined> {
  const { rows } = await db.query<AdminRow>(
    'SELECT admin_id, email, password_hash, role FROM portal.admins WHERE email = $1',
    [email],
  );
  return rows[0];
}
