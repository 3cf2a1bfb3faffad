import type { PublicJwk } from '#common/keys.ts';
import type { Pool } from '#common/postgres.ts';

/** Makes the public key of our ballots known to everybody who verifies them. */
export async function insertBallotKey(pool: Pool, key: PublicJwk): Promise<void> {
  await pool.query(
    'INSERT INTO votes.ballot_keys (kid, x) VALUES ($1, $2) ON CONFLICT DO NOTHING',
    [key.kid, key.x],
  );
}
