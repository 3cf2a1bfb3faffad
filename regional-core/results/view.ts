import { type ResultState, resultState, resultsAudience } from '#common/contracts/session.ts';
import type { Correction, Covers } from '#common/contracts/vote-aggregated.ts';
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
  readonly state: ResultState;
  /** Null while this viewer may not see counts; then percentages are not there either. */
  readonly counts: readonly number[] | null;
  /** The turnout, which no policy hides. */
  readonly totalVotes: number;
  readonly sequence: number;
  readonly covers: Covers;
  readonly updatedAtMs: number;
  /** True while totals hold behind the votes; a final result is never stale. */
  readonly isStale: boolean;
  /** Why a count may have fallen; none while counts are hidden. */
  readonly corrected: readonly Correction[];
}

/**
 * Decides what a viewer sees. The publisher's word that nobody may see counts stands above ours.
 */
export function viewOf(known: Known, viewer: Viewer, nowMs: number): View {
  const { session, totals, heardAtMs, staleSinceMs } = known;
  const { final } = session;
  const audience = resultsAudience(session, nowMs);
  const visible = audience === 'everyone' || (audience === 'voters' && viewer === 'voter');
  const counts = visible ? countsOf(known) : null;
  return {
    known,
    state: resultState(session, nowMs),
    counts,
    totalVotes: final?.total ?? totals?.total_votes ?? 0,
    sequence: totals?.sequence ?? 0,
    covers: totals?.covers ?? {},
    updatedAtMs: final?.at_ms ?? totals?.at_ms ?? heardAtMs,
    isStale: staleSinceMs !== null && !final,
    corrected: (counts && totals?.corrected) ?? [],
  };
}

/** One count per option, zeros before the first totals; of a final result what was signed. */
function countsOf({ session, totals }: Known): readonly number[] | null {
  const counts = session.final ? session.final.counts : totals === undefined ? [] : totals.counts;
  return counts && session.options.map((_, optionNo) => counts[optionNo] ?? 0);
}

/** Shares of the sum, 0 to 100 with two decimals; all 0 while there are no votes. */
export function percentagesOf(counts: readonly number[]): number[] {
  let sum = 0;
  for (const count of counts) sum += count;
  return counts.map((count) => (sum === 0 ? 0 : Math.round((count / sum) * 10_000) / 100));
}
