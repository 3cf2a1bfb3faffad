import type { ActKind } from '#common/contracts/act.ts';
import type { Db } from '#common/copies.ts';

/** An act and who signed it, in the order of signing. */
export interface ActRow {
  readonly act_hash: Buffer;
  readonly kind: ActKind;
  readonly body: string;
  readonly proposed_by: string;
  readonly proposed_at: Date;
  readonly agreed_at: Date | null;
  /** `signed_at` in RFC 3339. */
  readonly signatures: readonly {
    readonly kid: string;
    readonly admin_id: string;
    readonly signed_at: string;
  }[];
}

export const actColumns = `act_hash, kind, body, proposed_by, proposed_at, agreed_at,
  (SELECT coalesce(jsonb_agg(jsonb_build_object(
      'kid', s.kid, 'admin_id', s.admin_id, 'signed_at', s.signed_at) ORDER BY s.signed_at), '[]')
   FROM votes.act_signatures s WHERE s.act_hash = a.act_hash) AS signatures`;

/** The act of this hash (64 hex digits), if it was proposed. */
export async function findAct(db: Db, hash: string): Promise<ActRow | undefined> {
  const { rows } = await db.query<ActRow>(
    `SELECT ${actColumns} FROM votes.acts a WHERE act_hash = $1`,
    [Buffer.from(hash, 'hex')],
  );
  return rows[0];
}
