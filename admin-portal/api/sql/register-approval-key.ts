import type { Db } from '#common/copies.ts';
import { type ApprovalKeyRow, approvalKeyColumns } from './approval-key-row.ts';

/**
 * Registers a key and gives what stands under its kid then: somebody else's when it was there.
 * Rejects with SQLSTATE VT409 and a sentence when the account is not there.
 */
export async function registerApprovalKey(
  db: Db,
  key: Pick<ApprovalKeyRow, 'kid' | 'x' | 'admin_id'>,
): Promise<ApprovalKeyRow> {
  await db.query('SELECT votes.register_approval_key($1, $2, $3)', [key.kid, key.x, key.admin_id]);
  const { rows } = await db.query<ApprovalKeyRow>(
    `SELECT ${approvalKeyColumns} FROM votes.approval_keys WHERE kid = $1`,
    [key.kid],
  );
  return rows[0]!;
}
