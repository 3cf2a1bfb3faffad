import type { PartitionBatch } from '#common/log-reader.ts';
import type { MarkRow } from '../sql/read-marks.ts';
import type { PartitionCount } from './tally.ts';

/**
 * Under load the two readers of a log never stand at one offset at the moment one looks. So the
 * log counter stops at a checkpoint, reads how far the ledger is and how it judged (a mark), and
 * counts on to exactly that offset: there the counts must be equal, whatever happens meanwhile.
 *
 *   checkpoint        mark: the ledger has read to here, with these verdicts
 *   ────┬────────────────────────┬──────────────► log
 *       └── counted for the mark ┴── counted for the next checkpoint
 */
export interface Mark {
  /** Where the ledger stood. */
  readonly next: number;
  /** By session id. */
  readonly sessions: ReadonlyMap<string, Held>;
}

interface Held {
  /** Records that the log had before the checkpoint. */
  readonly held: number;
  /** Records that the ledger had judged. */
  readonly judged: number;
}

/** One session in one partition, compared at one offset. */
export interface MarkCheck {
  readonly sessionId: string;
  readonly partition: number;
  readonly next: number;
  /** Records that the log has more than verdicts; negative: fewer. */
  readonly off: number;
}

/**
 * The marks that can be counted to: partitions of which the ledger has read at least what was
 * counted. Undefined when another process counted meanwhile.
 */
export function marksOf(
  rows: readonly MarkRow[],
  positions: ReadonlyMap<number, number>,
): Map<number, Mark> | undefined {
  const marks = new Map<number, Mark & { readonly sessions: Map<string, Held> }>();
  for (const row of rows) {
    const position = positions.get(row.partition);
    if (position === undefined) continue;
    if (position !== row.log_next) return undefined;
    if (row.ledger_next < position) continue;
    const mark = marks.get(row.partition) ?? { next: row.ledger_next, sessions: new Map() };
    mark.sessions.set(row.session_id, { held: row.held, judged: row.judged });
    marks.set(row.partition, mark);
  }
  return marks;
}

/** A batch in two: what lies before an offset, and what lies at it and behind. */
export function cutBatch(
  batch: PartitionBatch,
  at: number,
): readonly [PartitionBatch | undefined, PartitionBatch | undefined] {
  if (batch.next <= at) return [batch, undefined];
  if (batch.from >= at) return [undefined, batch];
  const records = at - batch.from;
  return [
    { ...batch, next: at, records: batch.records.slice(0, records) },
    { ...batch, from: at, records: batch.records.slice(records) },
  ];
}

/** Holds what was counted up to the marks against the verdicts there. */
export function checkMarks(
  marks: ReadonlyMap<number, Mark>,
  counts: readonly PartitionCount[],
): MarkCheck[] {
  return [...marks].flatMap(([partition, { next, sessions }]) => {
    const counted = counts.find((count) => count.partition === partition)?.sessions;
    return [...sessions].map(([sessionId, { held, judged }]) => {
      const { accepted = 0, control = 0 } = counted?.get(sessionId) ?? {};
      return { sessionId, partition, next, off: held + accepted + control - judged };
    });
  });
}
