import { decodeVoteRecord, sessionOfKey } from '#common/contracts/vote-submitted.ts';
import type { PartitionBatch } from '#common/log-reader.ts';

/**
 * What one call of `votes.count_batch` takes: columns, not rows, because Postgres reads arrays. The
 * three groups belong together by position.
 */
export interface CountBatch {
  readonly partitions: Column<'partition' | 'from' | 'next' | 'logEnd', number>;
  readonly sessions: readonly string[];
  readonly votes: {
    /** Position in `sessions`, from 1. */
    readonly sessionAt: number[];
    readonly voteId: string[];
    readonly optionNo: number[];
    readonly acceptedAtMs: number[];
    readonly partition: number[];
    readonly offset: number[];
  };
  /** Records that cannot be read as votes: quarantined whole, in the same call. */
  readonly unreadable: {
    readonly sessionId: (string | null)[];
    readonly partition: number[];
    readonly offset: number[];
    readonly reason: string[];
    readonly key: (Buffer | null)[];
    readonly value: (Buffer | null)[];
  };
}

type Column<Names extends string, T> = Readonly<Record<Names, readonly T[]>>;

/** A hole or a repetition in what the log gave: reading on would lose or invent a vote. */
export class SparseBatchError extends Error {
  constructor(partition: number, expected: number, found: number) {
    super(`partition ${partition}: expected offset ${expected}, read ${found}`);
    this.name = 'SparseBatchError';
  }
}

/**
 * Puts what was read from several partitions into one batch. Throws SparseBatchError when a
 * partition's offsets are not dense: this log has neither transactions nor compaction.
 */
export function toCountBatch(read: readonly PartitionBatch[]): CountBatch {
  const ordered = read.toSorted((a, b) => a.partition - b.partition);
  const batch: CountBatch = {
    partitions: {
      partition: ordered.map(({ partition }) => partition),
      from: ordered.map(({ from }) => from),
      next: ordered.map(({ next }) => next),
      logEnd: ordered.map(({ logEnd }) => logEnd),
    },
    sessions: [],
    votes: {
      sessionAt: [],
      voteId: [],
      optionNo: [],
      acceptedAtMs: [],
      partition: [],
      offset: [],
    },
    unreadable: { sessionId: [], partition: [], offset: [], reason: [], key: [], value: [] },
  };
  const sessionAt = new Map<string, number>();
  for (const part of ordered) {
    assertDense(part);
    for (const { offset, key, value } of part.records) {
      const record = decodeVoteRecord(key, value);
      if ('unreadable' in record) {
        const { unreadable } = batch;
        unreadable.sessionId.push(sessionOfKey(key) ?? null);
        unreadable.partition.push(part.partition);
        unreadable.offset.push(offset);
        unreadable.reason.push(record.unreadable);
        unreadable.key.push(key);
        unreadable.value.push(value);
        continue;
      }
      const { session_id, vote_id } = record.ballot;
      if (!sessionAt.has(session_id)) sessionAt.set(session_id, sessionAt.size + 1);
      const { votes } = batch;
      votes.sessionAt.push(sessionAt.get(session_id)!);
      votes.voteId.push(vote_id);
      votes.optionNo.push(record.optionNo);
      votes.acceptedAtMs.push(record.acceptedAtMs);
      votes.partition.push(part.partition);
      votes.offset.push(offset);
    }
  }
  return { ...batch, sessions: [...sessionAt.keys()] };
}

function assertDense({ partition, from, next, records }: PartitionBatch): void {
  for (const [index, { offset }] of records.entries()) {
    if (offset !== from + index) throw new SparseBatchError(partition, from + index, offset);
  }
  if (next !== from + records.length) {
    throw new SparseBatchError(partition, from + records.length, next);
  }
}
