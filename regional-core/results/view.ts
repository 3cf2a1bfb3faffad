import { resultsAudience, type SessionState, sessionState } from '#common/contracts/session.ts';
import type { Covers } from '#common/contracts/vote-aggregated.ts';
import type { Known } from './state.ts';

/** Who looks: anybody, or somebody who showed a receipt of this session. */
export const viewers = ['public', 'voter'] as const;
export type Viewer = (typeof viewers)[number];

/**
 * What a viewer may see of a session at one moment. Everything that leaves this service is made
 * from a view, so that a count which is hidden here can be in no format.
 */
export interface View {
  readonly known: Known;
  readonly state: SessionState;
  /** Null while this viewer may not see counts; then percentages are not there either. */
  readonly counts: readonly number[] | null;
  /** The turnout, which no policy hides. */
  readonly totalVotes: number;
  readonly sequence: number;
  readonly covers: Covers;
  readonly updatedAtMs: number;
}

/**
 * Decides what a viewer sees. The publisher's word that nobody may see counts stands above ours.
 */
export function viewOf(known: Known, viewer: Viewer, nowMs: number): View {
  const { session, totals, heardAtMs } = known;
  const audience = resultsAudience(session, nowMs);
  const visible = audience === 'everyone' || (audience === 'voters' && viewer === 'voter');
  return {
    known,
    state: sessionState(session, nowMs),
    counts: visible ? countsOf(known) : null,
    totalVotes: totals?.total_votes ?? 0,
    sequence: totals?.sequence ?? 0,
    covers: totals?.covers ?? {},
    updatedAtMs: totals?.at_ms ?? heardAtMs,
  };
}

/** One count per option, zeros before the first totals. */
function countsOf({ session, totals }: Known): readonly number[] | null {
  const counts = totals === undefined ? [] : totals.counts;
  return counts && session.options.map((_, optionNo) => counts[optionNo] ?? 0);
}

/** Shares of the sum, 0 to 100 with two decimals; all 0 while there are no votes. */
export function percentagesOf(counts: readonly number[]): number[] {
  let sum = 0;
  for (const count of counts) sum += count;
  return counts.map((count) => (sum === 0 ? 0 : Math.round((count / sum) * 10_000) / 100));
}
