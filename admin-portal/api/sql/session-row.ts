import type { EligibilityPolicy, ResultsPolicy, SessionOption } from '#common/contracts/session.ts';

/** A session as Postgres has it. */
export interface SessionRow {
  readonly session_no: number;
  readonly session_id: string;
  readonly version: number;
  readonly title: string;
  readonly options: readonly SessionOption[];
  readonly opens_at: Date;
  readonly closes_at: Date;
  readonly eligibility: readonly EligibilityPolicy[];
  readonly results_policy: ResultsPolicy;
  /** With `on_release`: since when results may be shown; null until somebody releases them. */
  readonly released_at: Date | null;
  readonly sealed_at: Date | null;
  readonly final_at: Date | null;
}

export const sessionColumns =
  'session_no, session_id, version, title, options, opens_at, closes_at, eligibility, ' +
  'results_policy, released_at, sealed_at, final_at';
