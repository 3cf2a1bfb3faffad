import type { Pool } from '#common/postgres.ts';

/**
 * Makes the account of a registration and spends its token, both or neither. False when the token
 * is spent already, or the address or its voter id belongs to an account: nothing changed then,
 * except that the token is gone.
 */
export async function completeRegistration(
  pool: Pool,
  tokenHash: Buffer,
  account: { readonly userId: string; readonly voterId: Buffer },
): Promise<boolean> {
  // The reference from users to voter_ids is checked at the statement's end, when both rows are in.
  const { rowCount } = await pool.query(
    `WITH spent AS (
       DELETE FROM identity.registrations WHERE token_hash = $1 RETURNING email, password_hash
     ), voter AS (
       INSERT INTO identity.voter_ids (voter_id) SELECT $3 FROM spent ON CONFLICT DO NOTHING
     )
     INSERT INTO identity.users (user_id, voter_id, email, password_hash)
     SELECT $2, $3, email, password_hash FROM spent
     ON CONFLICT DO NOTHING`,
    [tokenHash, account.userId, account.voterId],
  );
  return rowCount === 1;
}
