import { DAY_MS, MINUTE_MS } from '#common/clock.ts';
import type { Pool } from '#common/postgres.ts';

/** What came last may still be on its way to the ledger when the seals are settled. */
const lingerMs = 5 * MINUTE_MS;
/** The log keeps its records for eight days: what is older cannot be counted again. */
const sealedLateMsMax = 8 * DAY_MS;
const sessionsMax = 10_000;

export interface BalancedSessions {
  /** Their ids, sorted; 10,000 at most. */
  readonly sessionIds: readonly string[];
  /** Those beyond. */
  readonly more: number;
}

/**
 * Sessions that take votes, or wait for their seals, or were sealed lately: a region that was cut
 * off for hours brings its votes long after closing.
 */
export async function listBalancedSessions(pool: Pool, nowMs: number): Promise<BalancedSessions> {
  const { rows } = await pool.query<{ session_id: string; total: number }>(
    `SELECT session_id, count(*) OVER ()::int AS total FROM votes.voting_sessions
     WHERE opens_at <= $1 AND closes_at > $2 AND coalesce(sealed_at, 'infinity') > $3
     ORDER BY session_id LIMIT $4`,
    [new Date(nowMs), new Date(nowMs - sealedLateMsMax), new Date(nowMs - lingerMs), sessionsMax],
  );
  const sessionIds = rows.map(({ session_id }) => session_id);
  return { sessionIds, more: (rows[0]?.total ?? 0) - sessionIds.length };
}
