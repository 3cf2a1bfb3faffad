import { decodeStatement } from '#common/contracts/final.ts';
import type {
  EligibilityPolicy,
  FinalResult,
  ResultsPolicy,
  SessionMessage,
  SessionOption,
} from '#common/contracts/session.ts';
import type { Db } from '#common/copies.ts';

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
  readonly sealed_at: Date | null;
  readonly final_at: Date | null;
  readonly final_statement: Buffer | null;
}

/**
 * The sessions that have not been closed for longer than `closedSinceMs`, or were not released,
 * sealed or made final longer ago, as messages; all of them for Infinity. Throws a TypeError for a
 * final statement that cannot be read.
 */
export async function readSessions(db: Db, closedSinceMs: number): Promise<SessionMessage[]> {
  const { rows } = await db.query<SessionRow>({
    name: 'read_sessions',
    text: `SELECT epoch, version, session_id, session_no, title, options, opens_at, closes_at,
        eligibility, results_policy, released_at, sealed_at, final_at, final_statement
      FROM votes.voting_sessions, votes.epoch
      WHERE $1::float8 = 'infinity'
        OR greatest(closes_at, released_at, sealed_at, final_at)
          > now() - make_interval(secs => $1::float8 / 1000)`,
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
    sealed_at_ms: row.sealed_at?.getTime() ?? null,
    final: finalOf(row),
  }));
}

function finalOf({ session_id, final_at, final_statement }: SessionRow): FinalResult | null {
  if (final_at === null || final_statement === null) return null;
  const statement = decodeStatement(final_statement);
  if (statement === undefined)
    throw new TypeError(`final statement of ${session_id} is unreadable`);
  const { digest, counts, total } = statement.act;
  return { digest, counts, total, at_ms: final_at.getTime(), act_hash: statement.hash };
}
