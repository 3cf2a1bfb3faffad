import type { Pool } from '#common/postgres.ts';

/** Secrets deleted at most in one call. */
const rowsMax = 1000;

/**
 * Deletes the secrets of sessions whose result is final: from then on nobody can tell which vote is
 * whose, and no ballot can be made. Gives how many.
 */
export async function deleteFinalSecrets(pool: Pool): Promise<number> {
  const { rowCount } = await pool.query(
    `DELETE FROM identity.session_secrets WHERE session_id IN (
       SELECT secret.session_id FROM identity.session_secrets AS secret
       JOIN votes.voting_sessions AS session USING (session_id)
       WHERE session.final_at IS NOT NULL LIMIT ${rowsMax}
     )`,
  );
  return rowCount ?? 0;
}
