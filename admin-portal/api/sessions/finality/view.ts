import { toTimestamp } from '#common/clock.ts';
import { clockErrorMsMax } from '#common/clock-bound.ts';
import { decodeStatement } from '#common/contracts/final.ts';
import { graceMs } from '#common/contracts/session.ts';
import { presentAct } from '../../acts/view.ts';
import { outstandingOf } from '../../regions/route.ts';
import type { ActRow } from '../../sql/find-act.ts';
import type { FinalityRow } from '../../sql/read-finality.ts';
import type { LogRow } from '../../sql/read-logs.ts';
import type { SessionRow } from '../../sql/session-row.ts';
import { stateOf } from '../view.ts';
import type { FinalityAnswer } from './contract.ts';

/** What was read of a session's way to its result. */
export interface Finality {
  readonly session: SessionRow;
  readonly row: FinalityRow;
  readonly logs: readonly LogRow[];
  readonly acts: readonly ActRow[];
}

/**
 * Of a session with two options at least, as all are made. `outstanding` counts records of every
 * session, up to the log ends last heard of; a vote that is yet to be cast is in no figure.
 */
export function presentFinality(
  { session, row, logs, acts }: Finality,
  nowMs: number,
): FinalityAnswer {
  const statement = row.final_statement === null ? undefined : decodeStatement(row.final_statement);
  const votes = new Map(row.tallies.map((tally) => [tally.option_no, tally.votes]));
  // What was declared final is what stands, whatever the tallies say.
  const counts =
    statement?.act.counts ?? session.options.map((_, optionNo) => votes.get(optionNo) ?? 0);
  const ranked = session.options
    .map(({ option_id }, optionNo) => ({ option_id, votes: counts[optionNo] ?? 0 }))
    .toSorted((a, b) => b.votes - a.votes);
  const [first, second] = [ranked[0]!, ranked[1]!];
  const margin = first.votes - second.votes;
  const liveLogs = logs.filter(({ live }) => live);
  const outstanding = liveLogs.reduce((sum, log) => sum + outstandingOf(log), 0);
  // Everything that was answered in time lies in the logs by then; before it, more may come. Of a
  // log that nobody has begun to read it is not known what it holds.
  const answeredMs = session.closes_at.getTime() + graceMs + 2 * clockErrorMsMax;
  const isKnown = liveLogs.every(
    ({ partitions }) =>
      partitions.length > 0 &&
      partitions.every(({ heard_at_ms }) => heard_at_ms !== null && heard_at_ms > answeredMs),
  );
  // Each may be a voter's earlier choice, which takes a vote from one option and gives it another.
  const open = outstanding + row.duplicates;
  return {
    session_id: session.session_id,
    version: session.version,
    state: stateOf(session, nowMs),
    closes_at: toTimestamp(session.closes_at.getTime()),
    sealed_at: timeOf(session.sealed_at),
    final_at: timeOf(session.final_at),
    digest: statement?.act.digest ?? null,
    act_hash: statement?.hash ?? null,
    total: counts.reduce((sum, count) => sum + count, 0),
    first,
    second,
    margin,
    outstanding,
    decided: session.sealed_at !== null || (isKnown && 2 * open < margin),
    late: row.late,
    logs: logs.filter(({ live, lost_at }) => live || lost_at !== null).map(presentLog),
    lost_regions: logs.flatMap((log) =>
      log.lost_at === null
        ? []
        : [
            {
              region: log.log,
              lost_at: toTimestamp(log.lost_at.getTime()),
              never_read: outstandingOf(log),
            },
          ],
    ),
    corrections: row.corrections.map(({ kind, moved, act_hash, corrected_at }) => ({
      kind,
      moved,
      act_hash: act_hash === '' ? null : act_hash,
      corrected_at: toTimestamp(Date.parse(corrected_at)),
    })),
    acts: acts.map(presentAct),
  };
}

function presentLog(log: LogRow): FinalityAnswer['logs'][number] {
  const sealed = log.partitions.filter((partition) => partition.sealed !== null).length;
  return {
    log: log.log,
    live: log.live,
    partitions: log.partitions.length,
    sealed,
    outstanding: outstandingOf(log),
    covers: coversOf(log, sealed > 0 && sealed === log.partitions.length),
  };
}

/** Through the seals; of a region that was lost before them, as far as it was read. */
function coversOf({ lost_at, partitions }: LogRow, isSealed: boolean): number[] | null {
  if (isSealed) return partitions.map(({ sealed }) => sealed! + 1);
  return lost_at === null ? null : partitions.map(({ next_offset }) => next_offset);
}

function timeOf(date: Date | null): string | null {
  return date === null ? null : toTimestamp(date.getTime());
}
