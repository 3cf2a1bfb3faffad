import { toTimestamp } from '#common/clock.ts';
import { sessionState } from '#common/contracts/session.ts';
import type { SessionRow } from '../sql/session-row.ts';
import type { SessionAnswer } from './contract.ts';

/** A row as it is answered; the state follows the clock from the row's times. */
export function presentSession(row: SessionRow, nowMs: number): SessionAnswer {
  const opens_at_ms = row.opens_at.getTime();
  const closes_at_ms = row.closes_at.getTime();
  return {
    session_id: row.session_id,
    title: row.title,
    state: sessionState({ opens_at_ms, closes_at_ms }, nowMs),
    opens_at: toTimestamp(opens_at_ms),
    closes_at: toTimestamp(closes_at_ms),
    options: row.options.map(({ option_id, label }) => ({ option_id, label })),
    eligibility: row.eligibility.map((policy) => ({ policy })),
    results_policy: row.results_policy,
    ...(row.released_at === null ? {} : { released_at: toTimestamp(row.released_at.getTime()) }),
    version: row.version,
  };
}
