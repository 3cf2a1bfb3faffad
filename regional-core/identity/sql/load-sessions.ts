import type { EligibilityPolicy, ResultsPolicy, SessionOption } from '#common/contracts/session.ts';
import type { Pool } from '#common/postgres.ts';
import type { KnownSession, ListedSession } from '../session/session-list.ts';

interface Row {
  session_no: number;
  session_id: string;
  version: number;
  title: string;
  options: SessionOption[];
  opens_at: Date;
  closes_at: Date;
  eligibility: EligibilityPolicy[];
  results_policy: ResultsPolicy;
  is_final: boolean;
}

/** The voting sessions that are new, of a higher version than the one known, or final since. */
export async function loadSessions(
  pool: Pool,
  known: readonly KnownSession[],
): Promise<readonly ListedSession[]> {
  const { rows } = await pool.query<Row>(
    `SELECT session_no, session_id, s.version, title, options, opens_at, closes_at, eligibility,
            results_policy, final_at IS NOT NULL AS is_final
     FROM votes.voting_sessions AS s
     LEFT JOIN unnest($1::integer[], $2::integer[], $3::boolean[])
       AS known (session_no, version, is_final)
       USING (session_no)
     WHERE known.version IS NULL OR s.version > known.version
       OR (final_at IS NOT NULL AND NOT known.is_final)
     ORDER BY session_no`,
    [
      known.map((session) => session.session_no),
      known.map((session) => session.version),
      known.map((session) => session.is_final),
    ],
  );
  return rows.map(({ opens_at, closes_at, ...row }) => ({
    ...row,
    opens_at_ms: opens_at.getTime(),
    closes_at_ms: closes_at.getTime(),
  }));
}
