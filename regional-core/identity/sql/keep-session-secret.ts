import type { Db } from '#common/copies.ts';

/**
 * The wrapped secret of a voting session: the one that stands, or the one offered when none stands
 * yet. Whoever comes first makes it for all; two at once get the same one. Undefined for a session
 * whose result is final: its secret is gone, and another one would make other vote ids.
 */
export async function keepSessionSecret(
  db: Db,
  sessionId: string,
  offered: Buffer,
): Promise<Buffer | undefined> {
  const find = 'SELECT wrapped FROM identity.session_secrets WHERE session_id = $1';
  const standing = await db.query<{ wrapped: Buffer }>(find, [sessionId]);
  if (standing.rows[0]) return standing.rows[0].wrapped;
  await db.query(
    `INSERT INTO identity.session_secrets (session_id, wrapped)
     SELECT $1, $2 WHERE NOT EXISTS (
       SELECT FROM votes.voting_sessions WHERE session_id = $1 AND final_at IS NOT NULL
     ) ON CONFLICT DO NOTHING`,
    [sessionId, offered],
  );
  // Read back, never assumed: the insert may have met another's.
  const kept = await db.query<{ wrapped: Buffer }>(find, [sessionId]);
  return kept.rows[0]?.wrapped;
}
