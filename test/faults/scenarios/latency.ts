import type { Attempt } from '../crowd/history.ts';
import type { Stage } from '../stage.ts';

/** Attempts sent in a span that were answered with 201. */
function acceptedBetween(stage: Stage, fromMs: number, toMs: number): readonly Attempt[] {
  return stage.history.attempts.filter(
    ({ outcome, sentMs }) => outcome === 'ok' && sentMs >= fromMs && sentMs < toMs,
  );
}

/** Milliseconds from question to 201, 99th percentile of those sent in the span. */
export function acceptedP99(stage: Stage, fromMs: number, toMs: number): number {
  const took = acceptedBetween(stage, fromMs, toMs).map(({ sentMs, endMs }) => endMs - sentMs);
  const sorted = took.toSorted((one, other) => one - other);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * 0.99))] ?? Number.NaN;
}
