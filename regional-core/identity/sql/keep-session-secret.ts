import type { Pool } from '#common/postgres.ts';

/**
 * The wrapped secret of a voting session: the one that stands, or the one offered when none stands
 * yet. Whoever comes first makes it for all; two at once get the same one.
 */
export async function keepSessionSecret(
  pool: Pool,
  sessionId: string,
  offered: Buffer,
): Promise<Buffer> {
  const find = 'SELECT wrapped FROM identity.session_secrets WHERE session_id = $1';
  const standing = await pool.query<{ wrapped: Buffer }>(find, [sessionId]);
  if (standing.rows[0]) return standing.rows[0].wrapped;
  await pool.query(
    `INSERT INTO identity.session_secrets (session_id, wrapped) VALUES ($1, $2)
     ON CONFLICT DO NOTHING`,
    [sessionId, offered],
  );
  // Read back, never assumed: the insert may have met another's.
  const kept = await pool.query<{ wrapped: Buffer }>(find, [sessionId]);
  return kept.rows[0]!.wrapped;
}
