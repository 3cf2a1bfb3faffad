import type { SessionRow } from '../../sql/session-row.ts';
import type { Decision } from '../change.ts';

/**
 * Releasing the results now: once, after voting, and only where the policy waits for it. A release
 * is never taken back, because what was seen cannot be unseen.
 */
export function decideRelease(
  row: Pick<SessionRow, 'closes_at' | 'results_policy' | 'released_at'>,
  nowMs: number,
): Decision<Date> {
  if (row.results_policy !== 'on_release') {
    return { refused: `The results policy is ${row.results_policy}: nothing is to be released.` };
  }
  // Released: asking again after a lost answer is safe.
  if (row.released_at !== null) return { unchanged: true };
  if (nowMs < row.closes_at.getTime()) return { refused: 'Voting has not closed yet.' };
  return { change: new Date(nowMs) };
}
