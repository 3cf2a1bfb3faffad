import type { Db } from '#common/copies.ts';
import { type ApprovalKeyRow, approvalKeyColumns } from './approval-key-row.ts';

/** The newest registered keys, newest first. */
export async function listApprovalKeys(db: Db, keysMax: number): Promise<ApprovalKeyRow[]> {
  const { rows } = await db.query<ApprovalKeyRow>(
    `SELECT ${approvalKeyColumns} FROM votes.approval_keys
     ORDER BY registered_at DESC, kid LIMIT $1`,
    [keysMax],
  );
  return rows;
}
