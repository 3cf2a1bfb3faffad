import type { EligibilityPolicy, ResultsPolicy, SessionOption } from '#common/contracts/session.ts';
import type { Pool } from '#common/postgres.ts';
import type { ListedSession } from '../session/session-list.ts';

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
}

/** The voting sessions that are new, or of a higher version than the one known. */
export async function loadSessions(
  pool: Pool,
  known: readonly Pick<ListedSession, 'session_no' | 'version'>[],
): Promise<readonly ListedSession[]> {
  const { rows } = await pool.query<Row>(
    `SELECT session_no, session_id, s.version, title, options, opens_at, closes_at, eligibility,
            results_policy
     FROM votes.voting_sessions AS s
     LEFT JOIN unnest($1::integer[], $2::integer[]) AS known (session_no, version)
       USING (session_no)
     WHERE known.version IS NULL OR s.version > known.version
     ORDER BY session_no`,
    [known.map((session) => session.session_no), known.map((session) => session.version)],
  );
  return rows.map(({ opens_at, closes_at, ...row }) => ({
    ...row,
    opens_at_ms: opens_at.getTime(),
    closes_at_ms: closes_at.getTime(),
  }));
}
