import {
  decodeVoteRecord,
  sessionOfKey,
  type VoteRecord,
} from '#common/contracts/vote-submitted.ts';
import type { LogRecord, PartitionBatch } from '#common/log-reader.ts';

/**
 * What one call of `votes.count_batch` takes: columns, not rows, because Postgres reads arrays. The
 * groups belong together by position.
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
  /** Records that cannot be read, or not be believed: quarantined whole, in the same call. */
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
  readonly partition: number;
  constructor(partition: number, expected: number, found: number) {
    super(`partition ${partition}: expected offset ${expected}, read ${found}`);
    this.name = 'SparseBatchError';
    this.partition = partition;
  }
}

/** A record of the log with its place. */
interface Placed {
  readonly partition: number;
  readonly raw: LogRecord;
}

/** What was read of several partitions, each record taken for what it says it is. */
export interface DecodedRecords {
  /** In order of partitions. */
  readonly parts: readonly PartitionBatch[];
  readonly votes: readonly (Placed & { readonly record: VoteRecord })[];
  readonly unreadable: readonly (Placed & { readonly reason: string })[];
}

/**
 * Decodes what was read. Throws SparseBatchError when a partition's offsets are not dense: this log
 * has neither transactions nor compaction.
 */
export function decodeRecords(read: readonly PartitionBatch[]): DecodedRecords {
  const parts = read.toSorted((a, b) => a.partition - b.partition);
  const votes: (Placed & { record: VoteRecord })[] = [];
  const unreadable: (Placed & { reason: string })[] = [];
  for (const part of parts) {
    assertDense(part);
    const { partition } = part;
    for (const raw of part.records) {
      const record = decodeVoteRecord(raw.key, raw.value);
      if ('unreadable' in record) unreadable.push({ partition, raw, reason: record.unreadable });
      else votes.push({ partition, raw, record });
    }
  }
  return { parts, votes, unreadable };
}

/**
 * Puts decoded records into one batch.
 *
 * @param faults for each vote, by position, why it cannot be believed; undefined when it can
 */
export function toCountBatch(
  decoded: DecodedRecords,
  faults: readonly (string | undefined)[] = [],
): CountBatch {
  const { parts } = decoded;
  const batch: CountBatch = {
    partitions: {
      partition: parts.map(({ partition }) => partition),
      from: parts.map(({ from }) => from),
      next: parts.map(({ next }) => next),
      logEnd: parts.map(({ logEnd }) => logEnd),
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
  const { votes } = batch;
  for (const [at, { partition, raw, record }] of decoded.votes.entries()) {
    const fault = faults[at];
    if (fault !== undefined) {
      addUnreadable(batch, { partition, raw, reason: fault });
      continue;
    }
    const { session_id, vote_id } = record.ballot;
    if (!sessionAt.has(session_id)) sessionAt.set(session_id, sessionAt.size + 1);
    votes.sessionAt.push(sessionAt.get(session_id)!);
    votes.voteId.push(vote_id);
    votes.optionNo.push(record.optionNo);
    votes.acceptedAtMs.push(record.acceptedAtMs);
    votes.partition.push(partition);
    votes.offset.push(raw.offset);
  }
  for (const record of decoded.unreadable) addUnreadable(batch, record);
  return { ...batch, sessions: [...sessionAt.keys()] };
}

function addUnreadable(
  { unreadable }: CountBatch,
  { partition, raw, reason }: Placed & { reason: string },
): void {
  unreadable.sessionId.push(sessionOfKey(raw.key) ?? null);
  unreadable.partition.push(partition);
  unreadable.offset.push(raw.offset);
  unreadable.reason.push(reason);
  unreadable.key.push(raw.key);
  unreadable.value.push(raw.value);
}

function assertDense({ partition, from, next, records }: PartitionBatch): void {
  for (const [index, { offset }] of records.entries()) {
    if (offset !== from + index) throw new SparseBatchError(partition, from + index, offset);
  }
  if (next !== from + records.length) {
    throw new SparseBatchError(partition, from + records.length, next);
  }
}
