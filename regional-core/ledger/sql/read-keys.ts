import { type ApprovalKeys, importApprovalKeys } from '#common/contracts/act.ts';
import type { Db } from '#common/copies.ts';
import { importPublicKeys, type PublicKeys, toPublicJwk } from '#common/keys.ts';

/** Public keys that ballots may be signed with, retired ones too. */
export async function readBallotKeys(db: Db): Promise<PublicKeys> {
  const { rows } = await db.query<{ x: string }>('SELECT x FROM votes.ballot_keys');
  return toKeys(rows);
}

/** Public keys by which a region's ledgers seal. */
export async function readSealKeys(db: Db, region: string): Promise<PublicKeys> {
  const { rows } = await db.query<{ x: string }>(
    'SELECT x FROM votes.seal_keys WHERE region = $1',
    [region],
  );
  return toKeys(rows);
}

/**
 * Public keys of the people who may decide, and the first admin that each one's account goes back
 * to: two keys of one are of one person, whoever's accounts they are. Nobody's are left out.
 */
export async function readApprovalKeys(db: Db): Promise<ApprovalKeys> {
  const { rows } = await db.query<{ x: string; adminId: string }>(
    `SELECT x, first_admin AS "adminId"
     FROM votes.approval_keys, votes.first_admin_of(admin_id) AS first_admin
     WHERE first_admin IS NOT NULL`,
  );
  return importApprovalKeys(rows);
}

function toKeys(rows: readonly { x: string }[]): PublicKeys {
  return importPublicKeys(rows.map(({ x }) => toPublicJwk({ kty: 'OKP', crv: 'Ed25519', x })));
}
