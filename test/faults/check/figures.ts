import { lostVotes } from './check.ts';
import type { Evidence } from './evidence.ts';

/** What each run prints. */
export interface Figures {
  /** Voters with a 201. */
  readonly accepted: number;
  /** Voters with a row that counts. */
  readonly counted: number;
  /** Records, by their verdict. */
  readonly duplicate: number;
  readonly replayed: number;
  readonly late: number;
  readonly quarantined: number;
  /** Voters without a 201 who may have been recorded all the same. */
  readonly unknown: number;
  readonly refused: number;
  readonly lost: number;
  /** Longest time without a 201 while voters were coming, seconds. */
  readonly pauseS: number;
}

export function figuresOf(evidence: Evidence, loads: readonly Span[]): Figures {
  const byVoter = Map.groupBy(evidence.attempts, ({ voteId }) => voteId);
  let accepted = 0;
  let unknown = 0;
  let refused = 0;
  for (const attempts of byVoter.values()) {
    if (attempts.some(({ outcome }) => outcome === 'ok')) accepted += 1;
    else if (attempts.some(({ outcome }) => outcome !== 'fail')) unknown += 1;
    else refused += 1;
  }
  const { duplicate, replayed, late, quarantined } = evidence.verdicts;
  return {
    accepted,
    counted: evidence.rows.length,
    duplicate,
    replayed,
    late,
    quarantined,
    unknown,
    refused,
    lost: lostVotes(evidence).size,
    pauseS: longestPauseMs(evidence, loads) / 1000,
  };
}

/** From when to when voters were coming. */
export interface Span {
  readonly fromMs: number;
  readonly toMs: number;
}

function longestPauseMs({ attempts }: Evidence, loads: readonly Span[]): number {
  const okAt = attempts.filter(({ outcome }) => outcome === 'ok').map(({ endMs }) => endMs);
  const pauses = loads.map(({ fromMs, toMs }) => {
    const within = okAt.filter((atMs) => atMs > fromMs && atMs < toMs).toSorted((a, b) => a - b);
    const times = [fromMs, ...within, toMs];
    return times.reduce(
      (longest, atMs, at) => Math.max(longest, atMs - (times[at - 1] ?? atMs)),
      0,
    );
  });
  return Math.max(0, ...pauses);
}
