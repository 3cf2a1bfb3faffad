import type { PublicJwk } from '#common/keys.ts';
import type { Pool } from '#common/postgres.ts';

/** Makes the public half of a region's seal key known. */
export async function keepSealKey(pool: Pool, region: string, jwk: PublicJwk): Promise<void> {
  await pool.query(
    'INSERT INTO votes.seal_keys (kid, region, x) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING',
    [jwk.kid, region, jwk.x],
  );
}
