import type { ActKind } from '#common/contracts/act.ts';
import type { Db } from '#common/copies.ts';

/** Writes a proposed act; one that stands already stays as it is. */
export async function insertAct(
  db: Db,
  act: {
    readonly hash: string;
    readonly kind: ActKind;
    readonly body: string;
    readonly proposedBy: string;
  },
): Promise<void> {
  await db.query(
    `INSERT INTO votes.acts (act_hash, kind, body, proposed_by) VALUES ($1, $2, $3, $4)
     ON CONFLICT DO NOTHING`,
    [Buffer.from(act.hash, 'hex'), act.kind, act.body, act.proposedBy],
  );
}
