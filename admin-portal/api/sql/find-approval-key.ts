import type { Db } from '#common/copies.ts';
import { type ApprovalKeyRow, approvalKeyColumns } from './approval-key-row.ts';

/** The key that an admin registered under this kid, if he did. */
export async function findApprovalKey(
  db: Db,
  kid: string,
  adminId: string,
): Promise<ApprovalKeyRow | undefined> {
  const { rows } = await db.query<ApprovalKeyRow>(
    `SELECT ${approvalKeyColumns} FROM votes.approval_keys WHERE kid = $1 AND admin_id = $2`,
    [kid, adminId],
  );
  return rows[0];
}
