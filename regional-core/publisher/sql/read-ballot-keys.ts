import { type PublicJwk, toPublicJwk } from '#common/keys.ts';
import type { Pool } from '#common/postgres.ts';

/** Every public key that a ballot may still be signed with, oldest first. */
export async function readBallotKeys(pool: Pool): Promise<PublicJwk[]> {
  const { rows } = await pool.query<{ x: string }>(
    'SELECT x FROM votes.ballot_keys ORDER BY created_at, kid',
  );
  return rows.map(({ x }) => toPublicJwk({ kty: 'OKP', crv: 'Ed25519', x }));
}
