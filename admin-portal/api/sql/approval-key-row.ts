/** A registered public key as Postgres has it. */
export interface ApprovalKeyRow {
  readonly kid: string;
  readonly x: string;
  readonly admin_id: string;
  readonly registered_at: Date;
}

export const approvalKeyColumns = 'kid, x, admin_id, registered_at';
