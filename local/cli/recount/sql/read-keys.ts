import type { PoolClient } from 'pg';
import { type ApprovalKeys, importApprovalKeys } from '#common/contracts/act.ts';
import { type PublicJwk, toPublicJwk } from '#common/keys.ts';

/**
 * Public keys of ballots, of seals by the region whose ledgers sign with them, and of those who may
 * decide.
 */
export async function readKeys(client: PoolClient): Promise<{
  readonly ballots: readonly PublicJwk[];
  readonly seals: readonly { readonly region: string; readonly jwk: PublicJwk }[];
  readonly approvals: ApprovalKeys;
}> {
  const toJwk = (x: string): PublicJwk => toPublicJwk({ kty: 'OKP', crv: 'Ed25519', x });
  const ballots = await client.query<{ x: string }>('SELECT x FROM votes.ballot_keys');
  const seals = await client.query<{ region: string; x: string }>(
    'SELECT region, x FROM votes.seal_keys',
  );
  const approvals = await client.query<{ x: string; adminId: string }>(
    `SELECT x, first_admin AS "adminId"
     FROM votes.approval_keys, votes.first_admin_of(admin_id) AS first_admin
     WHERE first_admin IS NOT NULL`,
  );
  return {
    approvals: importApprovalKeys(approvals.rows),
    ballots: ballots.rows.map(({ x }) => toJwk(x)),
    seals: seals.rows.map(({ region, x }) => ({ region, jwk: toJwk(x) })),
  };
}
