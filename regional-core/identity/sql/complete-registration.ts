import type { Db } from '#common/copies.ts';

/**
 * Makes the account of a registration and notes that it did; true also when it did so before. False
 * when the token is spent, or the address or its voter id belongs to another account: nothing
 * changed then, except that the token is gone.
 */
export async function completeRegistration(
  db: Db,
  tokenHash: Buffer,
  account: { readonly userId: string; readonly voterId: Buffer },
): Promise<boolean> {
  // The reference from users to voter_ids is checked at the statement's end, when both rows are in.
  const { rows } = await db.query<{ made: boolean }>(
    `WITH pending AS (
       SELECT email, password_hash FROM identity.registrations
       WHERE token_hash = $1 AND completed_at IS NULL FOR UPDATE
     ), voter AS (
       INSERT INTO identity.voter_ids (voter_id) SELECT $3 FROM pending ON CONFLICT DO NOTHING
     ), made AS (
       INSERT INTO identity.users (user_id, voter_id, email, password_hash)
       SELECT $2, $3, email, password_hash FROM pending
       ON CONFLICT DO NOTHING
       RETURNING user_id
     ), completed AS (
       UPDATE identity.registrations SET completed_at = now(), password_hash = ''
       WHERE token_hash = $1 AND EXISTS (SELECT FROM made)
     ), gone AS (
       DELETE FROM identity.registrations
       WHERE token_hash = $1 AND EXISTS (SELECT FROM pending) AND NOT EXISTS (SELECT FROM made)
     )
     SELECT EXISTS (SELECT FROM made) AS made`,
    [tokenHash, account.userId, account.voterId],
  );
  if (rows[0]!.made) return true;
  // A statement of its own: the one before may have waited for somebody who did it just now.
  const before = await db.query(
    'SELECT FROM identity.registrations WHERE token_hash = $1 AND completed_at IS NOT NULL',
    [tokenHash],
  );
  return before.rowCount === 1;
}
