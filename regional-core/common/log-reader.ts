import { type Consumer, findErrorBy } from '@platformatic/kafka';
import { sleep } from './clock.ts';
import { createGrouplessConsumer, readTopicLayout, type TopicLayout } from './kafka.ts';
import type { Log } from './log.ts';
import { LogBuffer, type PartitionBatch } from './log-buffer.ts';
import { LogDivergedError, LogReplacedError, OffsetOutOfRangeError } from './log-errors.ts';

export type { LogRecord, PartitionBatch } from './log-buffer.ts';
export { LogDivergedError, LogReplacedError, OffsetOutOfRangeError } from './log-errors.ts';

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

const fetchBytesMax = 4 * 1024 * 1024;
const partitionBytesMax = 1024 * 1024;
const backOffMs = { min: 50, max: 1000 };
/** Partitions that were added, and a topic that was made anew, are noticed this late at most. */
const layoutMs = 15_000;

/**
 * For one taker: `take` must be settled before it is called again. Nothing is connected before
 * `assign` or `layout`. It runs until `close`; a `take` that waits returns then.
 */
export class LogReader {
  readonly #options: LogReaderOptions;
  readonly #maxWaitMs: number;
  readonly #paceMs: number;
  readonly #buffer = new LogBuffer();
  readonly #loops = new Map<number, Promise<void>>();
  readonly #closing = new AbortController();
  #consumer: Consumer<Buffer, Buffer, Buffer, Buffer>;
  #layout: TopicLayout | undefined;
  #layoutRead: Promise<void> | undefined;
  #replaced: LogReplacedError | undefined;
  readonly #watching: Promise<void>;
  #wakeTaker: (() => void) | undefined;
  #wakeLoops: (() => void)[] = [];

  constructor(options: LogReaderOptions) {
    this.#options = options;
    this.#maxWaitMs = options.maxWaitMs ?? 500;
    this.#paceMs = options.paceMs ?? 0;
    this.#consumer = createGrouplessConsumer(options);
    this.#watching = this.#watchLayout();
  }

  /** The topic as last read: cluster id, topic id, leaders. Reads it when not yet known. */
  async layout(): Promise<TopicLayout> {
    this.#layout ??= await readTopicLayout(this.#consumer, this.#options.topic);
    return this.#layout;
  }

  /** Partitions the topic has, as last heard; 0 before that. It may grow while it is read. */
  get size(): number {
    return this.#layout?.partitions.length ?? 0;
  }

  /** The partitions to read: new ones start where the map says, those already read go on. */
  assign(positions: ReadonlyMap<number, number>): void {
    for (const partition of this.#buffer.partitions) {
      if (!positions.has(partition)) this.#buffer.drop(partition);
    }
    for (const [partition, offset] of positions) {
      if (!this.#buffer.has(partition)) this.seek(partition, offset);
    }
    this.#startLoops();
  }

  /** Forgets what is buffered of a partition and goes on at the offset given. */
  seek(partition: number, offset: number): void {
    this.#buffer.start(partition, offset);
    this.#wakeAllLoops();
  }

  /**
   * What has come since the last call, at most `recordsMax` records; waits up to `waitMs` for the
   * first. Throws OffsetOutOfRangeError (LogDivergedError is one) until the partition is sought
   * elsewhere or unassigned, and LogReplacedError from when the topic is another one.
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
    const batches = this.#buffer.take(recordsMax);
    this.#wakeAllLoops();
    return batches;
  }

  /** True when everything up to each partition's end has been taken. */
  caughtUp(): boolean {
    return this.#buffer.isTaken();
  }

  /**
   * Monotonic milliseconds as of which the end of each partition is known: when it was asked for,
   * not when the answer was read, which a stopped process does late. −∞ before each was heard.
   */
  get endsKnownAtMs(): number {
    return this.#buffer.endsKnownAtMs;
  }

  /** Log end of each partition as last heard. */
  logEnds(): ReadonlyMap<number, number> {
    return this.#buffer.logEnds();
  }

  /** Next offset to be taken, per partition. */
  positions(): ReadonlyMap<number, number> {
    return this.#buffer.positions();
  }

  async close(): Promise<void> {
    this.#closing.abort();
    this.#wakeAllLoops();
    this.#wakeTaker?.();
    await this.#consumer.close(true).catch(() => undefined);
    await Promise.all([this.#watching, ...this.#loops.values()]);
  }

  #hasNews(): boolean {
    return this.#closing.signal.aborted || this.#replaced !== undefined || this.#buffer.hasNews();
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
    if (!this.#isWhole(this.#layout)) this.#refreshLayout();
    for (const { partition, leader } of this.#layout.partitions) {
      if (leader < 0 || this.#loops.has(leader) || !this.#buffer.has(partition)) continue;
      const loop = this.#runLoop(leader).finally(() => {
        this.#loops.delete(leader);
        // What this broker led has moved, or was assigned just now.
        this.#startLoops();
      });
      this.#loops.set(leader, loop);
    }
  }

  async #watchLayout(): Promise<void> {
    while (!this.#closing.signal.aborted) {
      await sleep(layoutMs, this.#closing.signal);
      // Nobody has asked for anything yet: then nothing is connected either.
      if (this.#layout !== undefined && !this.#closing.signal.aborted) this.#refreshLayout();
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
        if (this.#isWhole(read)) return;
      } catch (error) {
        this.#options.log.debug({ err: error }, 'kafka metadata could not be read');
      }
      await sleep(waitMs, this.#closing.signal);
      waitMs = Math.min(waitMs * 2, backOffMs.max);
    }
  }

  /** Every partition is led, and those assigned are there: one may have been added just now. */
  #isWhole({ partitions }: TopicLayout): boolean {
    return (
      partitions.every(({ leader }) => leader >= 0) &&
      [...this.#buffer.partitions].every((partition) => partition < partitions.length)
    );
  }

  async #runLoop(node: number): Promise<void> {
    let waitMs = backOffMs.min;
    while (!this.#closing.signal.aborted && this.#replaced === undefined) {
      const wanted = this.#wantedFrom(node);
      if (wanted.size === 0) return;
      if (this.#buffer.isFull) {
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

  /** What this broker leads and we may read. */
  #wantedFrom(node: number): Map<number, Wanted> {
    const found = new Map<number, Wanted>();
    for (const { partition, leader } of this.#layout?.partitions ?? []) {
      const wanted = leader === node ? this.#buffer.wanted(partition) : undefined;
      if (wanted !== undefined) found.set(partition, wanted);
    }
    return found;
  }

  async #fetchOnce(node: number, wanted: ReadonlyMap<number, Wanted>): Promise<void> {
    const partitions = [...wanted].map(([partition, { offset, epochBefore }]) => ({
      partition,
      fetchOffset: BigInt(offset),
      partitionMaxBytes: partitionBytesMax,
      currentLeaderEpoch: -1,
      // By it the broker sees whether its log has the past that we have read (KIP-595).
      lastFetchedEpoch: epochBefore,
    }));
    const askedAtMs = performance.now();
    const response = await this.#consumer.fetch({
      node,
      maxWaitTime: this.#maxWaitMs,
      minBytes: 1,
      maxBytes: fetchBytesMax,
      topics: [{ topicId: this.#layout!.topicId, partitions }],
    });
    for (const [partition, { offset }] of wanted) {
      this.#buffer.heardNothing(partition, offset, askedAtMs);
    }
    for (const topic of response.responses) {
      for (const answer of topic.partitions) {
        const { partitionIndex: partition, divergingEpoch } = answer;
        const offset = wanted.get(partition)?.offset;
        // Sought or dropped while the answer was on its way: it is about another place.
        if (offset === undefined || !this.#buffer.expects(partition, offset)) continue;
        if (divergingEpoch !== undefined && divergingEpoch.epoch >= 0) {
          const agreedTo = Number(divergingEpoch.endOffset);
          this.#buffer.fail(partition, new LogDivergedError(partition, offset, agreedTo));
          continue;
        }
        this.#buffer.heardEnd(partition, Number(answer.highWatermark), askedAtMs);
        for (const batch of answer.records ?? []) this.#buffer.add(partition, batch);
      }
    }
    this.#wakeTaker?.();
  }

  #markOutOfRange(error: unknown, wanted: ReadonlyMap<number, Wanted>): boolean {
    if (!findErrorBy(error as Error, 'apiId', 'OFFSET_OUT_OF_RANGE')) return false;
    const answered = (error as FetchFailure).response?.responses ?? [];
    for (const { partitions } of answered) {
      for (const { partitionIndex, errorCode } of partitions) {
        const offset = wanted.get(partitionIndex)?.offset;
        if (errorCode !== offsetOutOfRange || offset === undefined) continue;
        if (!this.#buffer.expects(partitionIndex, offset)) continue;
        this.#buffer.fail(partitionIndex, new OffsetOutOfRangeError(partitionIndex, offset));
      }
    }
    this.#wakeTaker?.();
    return true;
  }
}

/** An offset, and the leader epoch of the record before it. */
type Wanted = NonNullable<ReturnType<LogBuffer['wanted']>>;

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
