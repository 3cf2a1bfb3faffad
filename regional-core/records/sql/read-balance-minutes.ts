import type { Pool } from '#common/postgres.ts';

/** What was measured last in the minute that begins then, and the largest `off` in it. */
export interface BalanceMinute {
  readonly minute: Date;
  readonly accepted: number;
  readonly counted: number;
  readonly duplicate: number;
  readonly replayed: number;
  readonly late: number;
  readonly quarantined: number;
  readonly void: number;
  readonly control: number;
  readonly pending: number;
  readonly off: number;
}

/** The last `max` minutes in which a session was measured, oldest first. */
export async function readBalanceMinutes(
  pool: Pool,
  sessionId: string,
  max: number,
): Promise<BalanceMinute[]> {
  const { rows } = await pool.query<BalanceMinute>(
    `SELECT minute, accepted, counted, duplicate, replayed, late, quarantined, void, control,
       pending, off
     FROM votes.balance_minutes JOIN votes.voting_sessions USING (session_no)
     WHERE session_id = $1 ORDER BY minute DESC LIMIT $2`,
    [sessionId, max],
  );
  return rows.toReversed();
}
