import { type Consumer, findErrorBy } from '@platformatic/kafka';
import { sleep } from './clock.ts';
import { createGrouplessConsumer, readTopicLayout, type TopicLayout } from './kafka.ts';
import type { Log } from './log.ts';

/**
 * Reads partitions of one topic from explicit offsets: no consumer group, no committed offsets. The
 * caller says where to start (`assign`, `seek`) and takes what has come (`take`).
 *
 * One loop a broker fetches ahead into a buffer that is bounded in bytes; a full buffer stops the
 * loop, so a slow caller slows the reading and loses nothing. Positions belong to this class;
 * whether what was taken is done is the caller's business. A broker that is away is asked again,
 * with back-off, for as long as the reader lives.
 */
export interface LogReaderOptions {
  readonly brokers: readonly string[];
  readonly clientId: string;
  /** Full name of the topic, prefix included. */
  readonly topic: string;
  readonly log: Log;
  /** Longest a broker waits for new records before it answers with none. Default 500 ms. */
  readonly maxWaitMs?: number;
  /**
   * Least time from one fetch of a broker to the next. While records trickle in every few
   * milliseconds, a fetch for each of them costs the broker more than the records do. Default 0.
   */
  readonly paceMs?: number;
}

export interface LogRecord {
  readonly offset: number;
  readonly key: Buffer | null;
  readonly value: Buffer | null;
}

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

/** The offset asked for lies outside the log: records are gone, or the log is not the one meant. */
export class OffsetOutOfRangeError extends Error {
  readonly partition: number;
  readonly offset: number;
  constructor(partition: number, offset: number) {
    super(`partition ${partition} has no offset ${offset}`);
    this.name = 'OffsetOutOfRangeError';
    this.partition = partition;
    this.offset = offset;
  }
}

/** The topic was deleted and made again, or the cluster is another: offsets name other records. */
export class LogReplacedError extends Error {
  constructor(was: TopicLayout, is: TopicLayout) {
    super(
      `the log was topic ${was.topicId} of cluster ${was.clusterId}, ` +
        `and is topic ${is.topicId} of cluster ${is.clusterId}`,
    );
    this.name = 'LogReplacedError';
  }
}

interface PartitionState {
  /** Next offset to fetch. */
  position: number;
  /** Next offset to hand out: first of the buffer. */
  handedOut: number;
  logEnd: number | undefined;
  buffer: LogRecord[];
  outOfRange: boolean;
}

const bufferBytesMax = 16 * 1024 * 1024;
const fetchBytesMax = 4 * 1024 * 1024;
const partitionBytesMax = 1024 * 1024;
const backOffMs = { min: 50, max: 1000 };

export class LogReader {
  readonly #options: LogReaderOptions;
  readonly #maxWaitMs: number;
  readonly #paceMs: number;
  readonly #partitions = new Map<number, PartitionState>();
  readonly #loops = new Map<number, Promise<void>>();
  readonly #closing = new AbortController();
  #consumer: Consumer<Buffer, Buffer, Buffer, Buffer>;
  #layout: TopicLayout | undefined;
  #layoutRead: Promise<void> | undefined;
  #replaced: LogReplacedError | undefined;
  #bufferedBytes = 0;
  #heardAtMs = Number.NEGATIVE_INFINITY;
  #wakeTaker: (() => void) | undefined;
  #wakeLoops: (() => void)[] = [];

  constructor(options: LogReaderOptions) {
    this.#options = options;
    this.#maxWaitMs = options.maxWaitMs ?? 500;
    this.#paceMs = options.paceMs ?? 0;
    this.#consumer = createGrouplessConsumer(options);
  }

  /** The topic as last read: cluster id, topic id, leaders. Reads it when not yet known. */
  async layout(): Promise<TopicLayout> {
    this.#layout ??= await readTopicLayout(this.#consumer, this.#options.topic);
    return this.#layout;
  }

  /** The partitions to read: new ones start where the map says, those already read go on. */
  assign(positions: ReadonlyMap<number, number>): void {
    for (const partition of this.#partitions.keys()) {
      if (!positions.has(partition)) this.#drop(partition);
    }
    for (const [partition, offset] of positions) {
      if (!this.#partitions.has(partition)) this.seek(partition, offset);
    }
    const known = this.#layout?.partitions.length ?? Number.POSITIVE_INFINITY;
    // Partitions were added to the topic since its layout was read.
    if ([...positions.keys()].some((partition) => partition >= known)) this.#refreshLayout();
    this.#startLoops();
  }

  /** Forgets what is buffered of a partition and goes on at the offset given. */
  seek(partition: number, offset: number): void {
    this.#drop(partition);
    this.#partitions.set(partition, {
      position: offset,
      handedOut: offset,
      logEnd: undefined,
      buffer: [],
      outOfRange: false,
    });
    this.#wakeAllLoops();
  }

  /**
   * What has come since the last call, at most `recordsMax` records; waits up to `waitMs` for the
   * first. Throws OffsetOutOfRangeError until the partition is sought elsewhere or unassigned, and
   * LogReplacedError from when the topic is another one.
   */
  async take(recordsMax: number, waitMs: number): Promise<PartitionBatch[]> {
    if (!this.#hasNews()) {
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, waitMs);
        this.#wakeTaker = () => {
          clearTimeout(timer);
          resolve();
        };
      });
      this.#wakeTaker = undefined;
    }
    if (this.#replaced !== undefined) throw this.#replaced;
    // Before anything is cut: what was cut and not handed out would be lost.
    for (const [partition, state] of this.#partitions) {
      if (state.outOfRange) throw new OffsetOutOfRangeError(partition, state.position);
    }
    const batches: PartitionBatch[] = [];
    let room = recordsMax;
    for (const [partition, state] of this.#partitions) {
      if (room === 0 || state.handedOut === state.position) continue;
      const batch = this.#cut(partition, state, room);
      room -= batch.records.length;
      batches.push(batch);
    }
    this.#wakeAllLoops();
    return batches;
  }

  /** True when everything up to each partition's end has been taken. */
  caughtUp(): boolean {
    for (const { handedOut, logEnd } of this.#partitions.values()) {
      if (logEnd === undefined || handedOut < logEnd) return false;
    }
    return true;
  }

  /** Monotonic milliseconds of the last answer from any broker; −∞ before the first. */
  get heardAtMs(): number {
    return this.#heardAtMs;
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
    return new Map([...this.#partitions].map(([partition, state]) => [partition, state.handedOut]));
  }

  async close(): Promise<void> {
    this.#closing.abort();
    this.#wakeAllLoops();
    this.#wakeTaker?.();
    await this.#consumer.close(true).catch(() => undefined);
    await Promise.all(this.#loops.values());
  }

  #hasNews(): boolean {
    for (const state of this.#partitions.values()) {
      if (state.outOfRange || state.handedOut < state.position) return true;
    }
    return this.#closing.signal.aborted || this.#replaced !== undefined;
  }

  #cut(partition: number, state: PartitionState, room: number): PartitionBatch {
    const records = state.buffer.splice(0, room);
    const from = state.handedOut;
    for (const record of records) this.#bufferedBytes -= bytesOf(record);
    state.handedOut = state.buffer[0]?.offset ?? state.position;
    return { partition, from, next: state.handedOut, logEnd: state.logEnd ?? 0, records };
  }

  #drop(partition: number): void {
    for (const record of this.#partitions.get(partition)?.buffer ?? []) {
      this.#bufferedBytes -= bytesOf(record);
    }
    this.#partitions.delete(partition);
  }

  #wakeAllLoops(): void {
    for (const wake of this.#wakeLoops.splice(0)) wake();
  }

  /** A loop for each broker that leads something of ours; loops without work end by themselves. */
  #startLoops(): void {
    if (this.#closing.signal.aborted || this.#replaced !== undefined) return;
    if (this.#layout === undefined) {
      this.#refreshLayout();
      return;
    }
    for (const { partition, leader } of this.#layout.partitions) {
      if (leader < 0 || this.#loops.has(leader) || !this.#partitions.has(partition)) continue;
      const loop = this.#runLoop(leader).finally(() => {
        this.#loops.delete(leader);
        // What this broker led has moved, or was assigned just now.
        this.#startLoops();
      });
      this.#loops.set(leader, loop);
    }
  }

  #refreshLayout(): void {
    this.#layoutRead ??= this.#readLayoutUntilKnown().finally(() => {
      this.#layoutRead = undefined;
      this.#startLoops();
    });
  }

  async #readLayoutUntilKnown(): Promise<void> {
    let waitMs = backOffMs.min;
    while (!this.#closing.signal.aborted) {
      try {
        const read = await readTopicLayout(this.#consumer, this.#options.topic);
        if (this.#layout !== undefined && !isSameLog(this.#layout, read)) {
          this.#replaced = new LogReplacedError(this.#layout, read);
          this.#wakeTaker?.();
          return;
        }
        this.#layout = read;
        if (read.partitions.every(({ leader }) => leader >= 0)) return;
      } catch (error) {
        this.#options.log.debug({ err: error }, 'kafka metadata could not be read');
      }
      await sleep(waitMs, this.#closing.signal);
      waitMs = Math.min(waitMs * 2, backOffMs.max);
    }
  }

  async #runLoop(node: number): Promise<void> {
    let waitMs = backOffMs.min;
    while (!this.#closing.signal.aborted && this.#replaced === undefined) {
      const wanted = this.#wantedFrom(node);
      if (wanted.size === 0) return;
      if (this.#bufferedBytes > bufferBytesMax) {
        await new Promise<void>((resolve) => this.#wakeLoops.push(resolve));
        continue;
      }
      const startedMs = performance.now();
      try {
        await this.#fetchOnce(node, wanted);
        waitMs = backOffMs.min;
        const restMs = this.#paceMs - (performance.now() - startedMs);
        if (restMs > 0) await sleep(restMs, this.#closing.signal);
      } catch (error) {
        if (this.#closing.signal.aborted) return;
        if (this.#markOutOfRange(error, wanted)) return;
        this.#options.log.debug({ err: error, node }, 'kafka fetch failed');
        this.#refreshLayout();
        await sleep(waitMs, this.#closing.signal);
        waitMs = Math.min(waitMs * 2, backOffMs.max);
        await this.#layoutRead;
      }
    }
  }

  /** partition → position, for what this broker leads and we may read. */
  #wantedFrom(node: number): Map<number, number> {
    const wanted = new Map<number, number>();
    for (const { partition, leader } of this.#layout?.partitions ?? []) {
      const state = this.#partitions.get(partition);
      if (leader === node && state && !state.outOfRange) wanted.set(partition, state.position);
    }
    return wanted;
  }

  async #fetchOnce(node: number, wanted: ReadonlyMap<number, number>): Promise<void> {
    const partitions = [...wanted].map(([partition, position]) => ({
      partition,
      fetchOffset: BigInt(position),
      partitionMaxBytes: partitionBytesMax,
      currentLeaderEpoch: -1,
      lastFetchedEpoch: -1,
    }));
    const response = await this.#consumer.fetch({
      node,
      maxWaitTime: this.#maxWaitMs,
      minBytes: 1,
      maxBytes: fetchBytesMax,
      topics: [{ topicId: this.#layout!.topicId, partitions }],
    });
    this.#heardAtMs = performance.now();
    for (const topic of response.responses) {
      for (const answer of topic.partitions) {
        const state = this.#partitions.get(answer.partitionIndex);
        // Sought or dropped while the answer was on its way: it is about another place.
        if (!state || state.position !== wanted.get(answer.partitionIndex)) continue;
        state.logEnd = Number(answer.highWatermark);
        for (const batch of answer.records ?? []) this.#append(state, batch);
      }
    }
    this.#wakeTaker?.();
  }

  #append(
    state: PartitionState,
    batch: {
      firstOffset: bigint;
      lastOffsetDelta: number;
      records: readonly { offsetDelta: number; key: Buffer | null; value: Buffer | null }[];
    },
  ): void {
    const first = Number(batch.firstOffset);
    for (const { offsetDelta, key, value } of batch.records) {
      const offset = first + offsetDelta;
      // A broker answers whole batches, from the one that holds the offset asked for.
      if (offset < state.position) continue;
      const record = { offset, key, value };
      state.buffer.push(record);
      this.#bufferedBytes += bytesOf(record);
    }
    state.position = Math.max(state.position, first + batch.lastOffsetDelta + 1);
  }

  #markOutOfRange(error: unknown, wanted: ReadonlyMap<number, number>): boolean {
    if (!findErrorBy(error as Error, 'apiId', 'OFFSET_OUT_OF_RANGE')) return false;
    const answered = (error as FetchFailure).response?.responses ?? [];
    for (const { partitions } of answered) {
      for (const { partitionIndex, errorCode } of partitions) {
        const state = this.#partitions.get(partitionIndex);
        const asked = wanted.get(partitionIndex);
        if (errorCode === offsetOutOfRange && state?.position === asked && state) {
          state.outOfRange = true;
        }
      }
    }
    this.#wakeTaker?.();
    return true;
  }
}

function isSameLog(one: TopicLayout, other: TopicLayout): boolean {
  return one.topicId === other.topicId && one.clusterId === other.clusterId;
}

/** Kafka protocol error code 1. */
const offsetOutOfRange = 1;

interface FetchFailure {
  readonly response?: {
    readonly responses: readonly {
      readonly partitions: readonly { partitionIndex: number; errorCode: number }[];
    }[];
  };
}

function bytesOf(record: LogRecord): number {
  return (record.key?.length ?? 0) + (record.value?.length ?? 0) + 64;
}
