import type { Pool } from '#common/postgres.ts';

interface FirstAdminRow {
  readonly admin_id: string;
  readonly email: string;
  /** Null for a first admin. */
  readonly made_by: string | null;
}

/** Every first admin, and whoever else has one of these addresses (lower case). */
export async function listFirstAdmins(
  pool: Pool,
  emails: readonly string[],
): Promise<FirstAdminRow[]> {
  const { rows } = await pool.query<FirstAdminRow>(
    `SELECT admin_id, email, made_by FROM portal.admins
     WHERE made_by IS NULL OR email = ANY ($1)`,
    [emails],
  );
  return rows;
}
