import type { Pool } from '#common/postgres.ts';
import type { Balance } from '../balance/balance.ts';

/** The balance of a session as it was measured in a minute. */
export interface MeasuredBalance {
  readonly sessionId: string;
  readonly balance: Balance;
  readonly control: number;
  readonly off: number;
}

const columns = [
  'accepted',
  'counted',
  'duplicate',
  'replayed',
  'late',
  'quarantined',
  'void',
  'pending',
] as const;

/**
 * Writes the row of this minute for each session: the last reading stays, and the largest
 * difference. Several processes may write the same minute.
 */
export async function writeBalanceMinutes(
  pool: Pool,
  nowMs: number,
  measured: readonly MeasuredBalance[],
): Promise<void> {
  const names = [...columns, 'control', 'off'] as const;
  const values = names.map((name) =>
    measured.map(({ balance, control, off }) => ({ ...balance, control, off })[name]),
  );
  await pool.query(
    `INSERT INTO votes.balance_minutes AS held (session_no, minute, ${names.join(', ')})
     SELECT session_no, date_trunc('minute', $1::timestamptz), ${names.join(', ')}
     FROM unnest($2::uuid[], ${names.map((_, at) => `$${at + 3}::bigint[]`).join(', ')})
       AS measured(session_id, ${names.join(', ')})
     JOIN votes.voting_sessions USING (session_id)
     ORDER BY session_no
     ON CONFLICT (session_no, minute) DO UPDATE SET
       ${columns.map((name) => `${name} = excluded.${name}`).join(', ')},
       control = excluded.control, off = greatest(held.off, excluded.off)`,
    [new Date(nowMs), measured.map(({ sessionId }) => sessionId), ...values],
  );
}

/** Drops minutes that ended before `beforeMs` (ms since the epoch). */
export async function dropOldMinutes(pool: Pool, beforeMs: number): Promise<void> {
  await pool.query('DELETE FROM votes.balance_minutes WHERE minute < $1', [new Date(beforeMs)]);
}
