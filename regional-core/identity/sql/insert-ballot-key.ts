import type { Db } from '#common/copies.ts';
import type { PublicJwk } from '#common/keys.ts';

/** Makes the public key of our ballots known to everybody who verifies them. */
export async function insertBallotKey(db: Db, key: PublicJwk): Promise<void> {
  await db.query('INSERT INTO votes.ballot_keys (kid, x) VALUES ($1, $2) ON CONFLICT DO NOTHING', [
    key.kid,
    key.x,
  ]);
}
