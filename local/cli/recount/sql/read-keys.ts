import type { PoolClient } from 'pg';
import { type PublicJwk, toPublicJwk } from '#common/keys.ts';

/** Public keys of ballots, and of seals by the region whose ledgers sign with them. */
export async function readKeys(client: PoolClient): Promise<{
  readonly ballots: readonly PublicJwk[];
  readonly seals: readonly { readonly region: string; readonly jwk: PublicJwk }[];
}> {
  const toJwk = (x: string): PublicJwk => toPublicJwk({ kty: 'OKP', crv: 'Ed25519', x });
  const ballots = await client.query<{ x: string }>('SELECT x FROM votes.ballot_keys');
  const seals = await client.query<{ region: string; x: string }>(
    'SELECT region, x FROM votes.seal_keys',
  );
  return {
    ballots: ballots.rows.map(({ x }) => toJwk(x)),
    seals: seals.rows.map(({ region, x }) => ({ region, jwk: toJwk(x) })),
  };
}
