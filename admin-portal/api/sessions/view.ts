import { toTimestamp } from '#common/clock.ts';
import { type ResultState, sessionState } from '#common/contracts/session.ts';
import type { SessionRow } from '../sql/session-row.ts';
import type { SessionAnswer } from './contract.ts';

/** A row as it is answered. */
export function presentSession(row: SessionRow, nowMs: number): SessionAnswer {
  return {
    session_id: row.session_id,
    title: row.title,
    state: stateOf(row, nowMs),
    opens_at: toTimestamp(row.opens_at.getTime()),
    closes_at: toTimestamp(row.closes_at.getTime()),
    options: row.options.map(({ option_id, label }) => ({ option_id, label })),
    eligibility: row.eligibility.map((policy) => ({ policy })),
    results_policy: row.results_policy,
    ...(row.released_at === null ? {} : { released_at: toTimestamp(row.released_at.getTime()) }),
    version: row.version,
  };
}

/** The state follows the clock from the row's times, until the result is sealed. */
export function stateOf(row: SessionRow, nowMs: number): ResultState {
  if (row.final_at !== null) return 'final';
  if (row.sealed_at !== null) return 'sealed';
  const opens_at_ms = row.opens_at.getTime();
  return sessionState({ opens_at_ms, closes_at_ms: row.closes_at.getTime() }, nowMs);
}
