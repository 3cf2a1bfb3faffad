import { EpochHistory } from './epoch-history.ts';

/**
 * The offset is a safe integer. Without a value it says, in a compacted topic, that its key is
 * gone.
 */
export interface LogRecord {
  readonly offset: number;
  readonly key: Buffer | null;
  readonly value: Buffer | null;
}

/**
 * Records of one partition in order of their offsets, all from `from` up to and without `next` that
 * the log still has.
 */
export interface PartitionBatch {
  readonly partition: number;
  /** Offset of the first record asked for; the log may be compacted, so none need have it. */
  readonly from: number;
  /** Where the next batch of this partition starts. */
  readonly next: number;
  /** The log's end (high watermark) when this was fetched. */
  readonly logEnd: number;
  readonly records: readonly LogRecord[];
}

/** A batch of records as a broker hands it out. */
interface FetchedBatch {
  readonly firstOffset: bigint;
  readonly lastOffsetDelta: number;
  readonly partitionLeaderEpoch: number;
  readonly records: readonly {
    readonly offsetDelta: number;
    readonly key: Buffer | null;
    readonly value: Buffer | null;
  }[];
}

interface Held {
  /** Next offset to fetch. */
  position: number;
  /** Next offset to hand out: first of the records. */
  handedOut: number;
  logEnd: number | undefined;
  /** When the question was asked that the log's end answered last. */
  endAskedAtMs: number;
  records: LogRecord[];
  /** Why this partition cannot be read any further from where it is. */
  trouble: Error | undefined;
}

/** Past it a reader fetches no more until something was taken. */
const bytesMax = 16 * 1024 * 1024;

/**
 * What was fetched of some partitions and not yet taken, in the order of each. It knows positions
 * and nothing of brokers.
 */
export class LogBuffer {
  readonly #partitions = new Map<number, Held>();
  /** Outlives a partition's being dropped: it is about the log and not about our reading. */
  readonly #epochs = new Map<number, EpochHistory>();
  #bytes = 0;

  get isFull(): boolean {
    return this.#bytes > bytesMax;
  }

  get partitions(): Iterable<number> {
    return this.#partitions.keys();
  }

  has(partition: number): boolean {
    return this.#partitions.has(partition);
  }

  /** Forgets what is held of a partition and expects it from the offset given. */
  start(partition: number, offset: number): void {
    this.drop(partition);
    this.#partitions.set(partition, {
      position: offset,
      handedOut: offset,
      logEnd: undefined,
      endAskedAtMs: Number.NEGATIVE_INFINITY,
      records: [],
      trouble: undefined,
    });
  }

  drop(partition: number): void {
    for (const record of this.#partitions.get(partition)?.records ?? []) {
      this.#bytes -= bytesOf(record);
    }
    this.#partitions.delete(partition);
  }

  /** Where to fetch next, with the epoch of the record before; undefined: not to be fetched. */
  wanted(partition: number): { readonly offset: number; readonly epochBefore: number } | undefined {
    const held = this.#partitions.get(partition);
    if (held === undefined || held.trouble !== undefined) return undefined;
    const epochBefore = this.#epochs.get(partition)?.before(held.position) ?? -1;
    return { offset: held.position, epochBefore };
  }

  /** True when an answer to a fetch at `offset` is still about what is expected. */
  expects(partition: number, offset: number | undefined): boolean {
    return this.#partitions.get(partition)?.position === offset;
  }

  /** @param askedAtMs when the broker was asked: an answer may have lain unread for long */
  heardEnd(partition: number, logEnd: number, askedAtMs: number): void {
    const held = this.#partitions.get(partition);
    if (held === undefined) return;
    held.logEnd = logEnd;
    held.endAskedAtMs = askedAtMs;
  }

  /**
   * An answer to a fetch at `offset` need not name the partition: in an incremental fetch session
   * (KIP-227) what is left out has not changed since it was last named.
   */
  heardNothing(partition: number, offset: number, askedAtMs: number): void {
    const held = this.#partitions.get(partition);
    if (held?.logEnd === undefined || held.position !== offset) return;
    held.endAskedAtMs = askedAtMs;
  }

  /** The end of each partition is known as of this moment; −∞ before each was heard. */
  get endsKnownAtMs(): number {
    if (this.#partitions.size === 0) return Number.NEGATIVE_INFINITY;
    return Math.min(...[...this.#partitions.values()].map(({ endAskedAtMs }) => endAskedAtMs));
  }

  add(partition: number, batch: FetchedBatch): void {
    const held = this.#partitions.get(partition);
    if (held === undefined) return;
    const first = Number(batch.firstOffset);
    for (const { offsetDelta, key, value } of batch.records) {
      const offset = first + offsetDelta;
      // A broker answers whole batches, from the one that holds the offset asked for.
      if (offset < held.position) continue;
      const record = { offset, key, value };
      held.records.push(record);
      this.#bytes += bytesOf(record);
    }
    const next = first + batch.lastOffsetDelta + 1;
    held.position = Math.max(held.position, next);
    const epochs = this.#epochs.get(partition) ?? new EpochHistory();
    epochs.note(first, next, batch.partitionLeaderEpoch);
    this.#epochs.set(partition, epochs);
  }

  /** The partition cannot be read from here: `take` says so until it is started elsewhere. */
  fail(partition: number, trouble: Error): void {
    const held = this.#partitions.get(partition);
    if (held !== undefined) held.trouble = trouble;
  }

  /** True when `take` would give or throw something. */
  hasNews(): boolean {
    for (const { trouble, handedOut, position } of this.#partitions.values()) {
      if (trouble !== undefined || handedOut < position) return true;
    }
    return false;
  }

  /** At most `recordsMax` records; throws a partition's trouble before anything is cut. */
  take(recordsMax: number): PartitionBatch[] {
    for (const { trouble } of this.#partitions.values()) {
      if (trouble !== undefined) throw trouble;
    }
    const batches: PartitionBatch[] = [];
    let room = recordsMax;
    for (const [partition, held] of this.#partitions) {
      if (room === 0 || held.handedOut === held.position) continue;
      const batch = this.#cut(partition, held, room);
      room -= batch.records.length;
      batches.push(batch);
    }
    return batches;
  }

  /** True when everything up to each partition's end has been taken. */
  isTaken(): boolean {
    for (const { handedOut, logEnd } of this.#partitions.values()) {
      if (logEnd === undefined || handedOut < logEnd) return false;
    }
    return true;
  }

  /** Log end of each partition as last heard. */
  logEnds(): ReadonlyMap<number, number> {
    const ends = new Map<number, number>();
    for (const [partition, { logEnd }] of this.#partitions) {
      if (logEnd !== undefined) ends.set(partition, logEnd);
    }
    return ends;
  }

  /** Next offset to be taken, per partition. */
  positions(): ReadonlyMap<number, number> {
    return new Map([...this.#partitions].map(([partition, held]) => [partition, held.handedOut]));
  }

  #cut(partition: number, held: Held, room: number): PartitionBatch {
    const records = held.records.splice(0, room);
    const from = held.handedOut;
    for (const record of records) this.#bytes -= bytesOf(record);
    held.handedOut = held.records[0]?.offset ?? held.position;
    return { partition, from, next: held.handedOut, logEnd: held.logEnd ?? 0, records };
  }
}

function bytesOf(record: LogRecord): number {
  return (record.key?.length ?? 0) + (record.value?.length ?? 0) + 64;
}
