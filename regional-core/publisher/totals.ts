import { resultsAudience, type SessionMessage } from '#common/contracts/session.ts';
import {
  coversAtLeast,
  type TotalsMessage,
  totalsSequence,
} from '#common/contracts/vote-aggregated.ts';
import { type ToldCounts, withReplays } from './replays.ts';
import type { TotalsRead } from './sql/read-totals.ts';
import type { ToldTotals } from './told.ts';

/**
 * What to publish of one read. Nothing at all when the epoch, a log position or the number of
 * corrections lies behind what was told: the database has lost commits, and totals hold until the
 * ledger has caught up. Where counts lie below what was told all the same, a correction says so.
 */
export function totalsToPublish(
  read: TotalsRead,
  told: { readonly totals: ToldTotals; readonly counts: ReadonlyMap<string, ToldCounts> },
  sessions: ReadonlyMap<number, SessionMessage>,
  nowMs: number,
): readonly TotalsMessage[] | 'behind' {
  if (isBehind(read, told.totals)) return 'behind';
  const sequence = totalsSequence(read.epoch, read.covers, read.corrections);
  return read.sessions.flatMap(({ sessionNo, counts, corrected }) => {
    const session = sessions.get(sessionNo);
    // Counted before this process has heard of the session; the next poll brings both.
    if (session === undefined) return [];
    // A final result is what two people signed, whatever is counted again or anew.
    const { final } = session;
    const perOption = session.options.map((_, optionNo) => counts[optionNo] ?? 0);
    // Who may see nothing gets nothing: the counts do not leave the database.
    const hidden = resultsAudience(session, nowMs) === 'nobody';
    const message: TotalsMessage = {
      v: 1,
      session_id: session.session_id,
      epoch: read.epoch,
      ...(read.timeline ? { timeline: read.timeline } : {}),
      sequence,
      total_votes: final ? final.total : sumOf(perOption),
      counts: hidden ? null : final ? final.counts : perOption,
      covers: read.covers,
      corrections: read.corrections,
      corrected: corrected ?? [],
      at_ms: nowMs,
    };
    return withReplays(message, told.counts.get(session.session_id));
  });
}

function isBehind(read: TotalsRead, told: ToldTotals): boolean {
  // A fail-over may have lost what was read of a region just before it was declared lost: its
  // offsets stay as they are then, and nobody brings them back to what was told.
  const unread = new Set(read.unread);
  const comparable = Object.entries(told.covers).filter(([log]) => !unread.has(log));
  return (
    read.epoch < told.epoch ||
    read.corrections < told.corrections ||
    !coversAtLeast(read.covers, Object.fromEntries(comparable))
  );
}

/** Throws a RangeError for a count that a number does not hold exactly: none is ever rounded. */
function sumOf(counts: readonly number[]): number {
  const sum = counts.reduce((total, count) => total + count, 0);
  if (![sum, ...counts].every(Number.isSafeInteger))
    throw new RangeError(`counts ${counts.join()}`);
  return sum;
}
