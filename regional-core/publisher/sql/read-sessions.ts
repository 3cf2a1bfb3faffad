import type {
  EligibilityPolicy,
  ResultsPolicy,
  SessionMessage,
  SessionOption,
} from '#common/contracts/session.ts';
import type { Pool } from '#common/postgres.ts';

interface SessionRow {
  readonly epoch: number;
  readonly version: number;
  readonly session_id: string;
  readonly session_no: number;
  readonly title: string;
  readonly options: SessionOption[];
  readonly opens_at: Date;
  readonly closes_at: Date;
  readonly eligibility: EligibilityPolicy[];
  readonly results_policy: ResultsPolicy;
  readonly released_at: Date | null;
}

/**
 * The sessions that have not been closed for longer than `closedSinceMs`, or whose results were not
 * released longer ago, as messages; all of them for Infinity.
 */
export async function readSessions(pool: Pool, closedSinceMs: number): Promise<SessionMessage[]> {
  const { rows } = await pool.query<SessionRow>({
    name: 'read_sessions',
    text: `SELECT epoch, version, session_id, session_no, title, options, opens_at, closes_at,
        eligibility, results_policy, released_at
      FROM votes.voting_sessions, votes.epoch
      WHERE $1::float8 = 'infinity'
        OR closes_at > now() - make_interval(secs => $1::float8 / 1000)
        OR released_at > now() - make_interval(secs => $1::float8 / 1000)`,
    values: [closedSinceMs],
  });
  return rows.map((row) => ({
    type: 'session',
    v: 1,
    epoch: row.epoch,
    version: row.version,
    session_id: row.session_id,
    session_no: row.session_no,
    title: row.title,
    options: row.options,
    opens_at_ms: row.opens_at.getTime(),
    closes_at_ms: row.closes_at.getTime(),
    eligibility: row.eligibility,
    results_policy: row.results_policy,
    released_at_ms: row.released_at?.getTime() ?? null,
  }));
}
