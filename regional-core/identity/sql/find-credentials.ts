import type { Pool } from '#common/postgres.ts';

export interface Credentials {
  readonly passwordHash: string;
  /** Undefined while the address waits for its verification. */
  readonly account: { readonly userId: string; readonly voterId: Buffer } | undefined;
}

interface Row {
  password_hash: string;
  user_id: string | null;
  voter_id: Buffer | null;
}

/** What a login is checked against: the account, or else the newest registration of the address. */
export async function findCredentials(
  pool: Pool,
  email: string,
  nowMs: number,
): Promise<Credentials | undefined> {
  const { rows } = await pool.query<Row>(
    `SELECT * FROM (
       SELECT password_hash, user_id, voter_id, now() AS created_at
       FROM identity.users WHERE email = $1
       UNION ALL
       SELECT password_hash, NULL, NULL, created_at
       FROM identity.registrations WHERE email = $1 AND expires_at > $2
     ) AS candidates
     ORDER BY user_id NULLS LAST, created_at DESC LIMIT 1`,
    [email, new Date(nowMs)],
  );
  const row = rows[0];
  if (row === undefined) return undefined;
  const { user_id: userId, voter_id: voterId } = row;
  const account = userId === null || voterId === null ? undefined : { userId, voterId };
  return { passwordHash: row.password_hash, account };
}
