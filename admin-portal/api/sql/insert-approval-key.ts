import type { Db } from '#common/copies.ts';
import { type ApprovalKeyRow, approvalKeyColumns } from './approval-key-row.ts';

/** Registers a key and gives what stands under its kid then: somebody else's when it was there. */
export async function insertApprovalKey(
  db: Db,
  key: Pick<ApprovalKeyRow, 'kid' | 'x' | 'admin_id'>,
): Promise<ApprovalKeyRow> {
  await db.query(
    `INSERT INTO votes.approval_keys (kid, x, admin_id) VALUES ($1, $2, $3)
     ON CONFLICT DO NOTHING`,
    [key.kid, key.x, key.admin_id],
  );
  const { rows } = await db.query<ApprovalKeyRow>(
    `SELECT ${approvalKeyColumns} FROM votes.approval_keys WHERE kid = $1`,
    [key.kid],
  );
  return rows[0]!;
}
