import type { SealKey } from '#common/contracts/session.ts';
import { toPublicJwk } from '#common/keys.ts';
import type { Pool } from '#common/postgres.ts';

/** Every public key that a seal may be signed with, oldest first. */
export async function readSealKeys(pool: Pool): Promise<SealKey[]> {
  const { rows } = await pool.query<{ x: string; region: string }>(
    'SELECT x, region FROM votes.seal_keys ORDER BY created_at, kid',
  );
  return rows.map(({ x, region }) => ({
    ...toPublicJwk({ kty: 'OKP', crv: 'Ed25519', x }),
    region,
  }));
}
