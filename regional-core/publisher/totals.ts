import { resultsAudience, type SessionMessage } from '#common/contracts/session.ts';
import {
  type Covers,
  coversAtLeast,
  type TotalsMessage,
  totalsSequence,
} from '#common/contracts/vote-aggregated.ts';
import type { TotalsRead } from './sql/read-totals.ts';

/**
 * What to publish of one read. Nothing at all when a log position lies behind one that was already
 * published: the database has lost commits, and totals hold until the ledger has caught up.
 */
export function totalsToPublish(
  read: TotalsRead,
  published: Covers,
  sessions: ReadonlyMap<number, SessionMessage>,
  nowMs: number,
): readonly TotalsMessage[] | 'behind' {
  if (!coversAtLeast(read.covers, published)) return 'behind';
  const sequence = totalsSequence(read.epoch, read.covers, read.corrections);
  return read.sessions.flatMap(({ sessionNo, counts }) => {
    const session = sessions.get(sessionNo);
    // Counted before this process has heard of the session; the next poll brings both.
    if (session === undefined) return [];
    const perOption = session.options.map((_, optionNo) => counts[optionNo] ?? 0);
    // Who may see nothing gets nothing: the counts do not leave the database.
    const hidden = resultsAudience(session, nowMs) === 'nobody';
    return {
      v: 1,
      session_id: session.session_id,
      epoch: read.epoch,
      sequence,
      total_votes: perOption.reduce((sum, count) => sum + count, 0),
      counts: hidden ? null : perOption,
      covers: read.covers,
      at_ms: nowMs,
    };
  });
}
