import type { Producer } from '@platformatic/kafka';
import { sleep } from '#common/clock.ts';
import {
  createProducer,
  type KafkaOptions,
  type Partition,
  readTopicLayout,
} from '#common/kafka.ts';
import type { Log } from '#common/log.ts';

export interface OutgoingRecord {
  readonly key: Buffer;
  readonly value: Buffer;
}

/**
 * The region's log of votes. Two implementations: Kafka, and one in memory that fails on demand.
 *
 * When `append` resolves, every record lies durably in the partition, the first at the offset given
 * and the rest behind it without a gap. When it rejects, the records may or may not be there.
 */
export interface VoteLog {
  partitions(): readonly Partition[];
  append(partition: number, records: readonly OutgoingRecord[]): Promise<number>;
  /** Ask again who leads what: an append failed. */
  refresh(): void;
}

const layoutMs = 5000;
const layoutRetryMs = 200;

/** Kafka's `vote-submitted`, with acks from all in-sync replicas. */
export class KafkaVoteLog implements VoteLog {
  readonly #producer: Producer<Buffer, Buffer, Buffer, Buffer>;
  readonly #topic: string;
  readonly #log: Log;
  readonly #closing = new AbortController();
  #partitions: readonly Partition[] = [];
  #wake: () => void = () => undefined;
  readonly #watching: Promise<void>;

  constructor(options: KafkaOptions & { topic: string; log: Log }) {
    this.#producer = createProducer(options);
    this.#topic = options.topic;
    this.#log = options.log;
    this.#watching = this.#watchLayout();
  }

  partitions(): readonly Partition[] {
    return this.#partitions;
  }

  async append(partition: number, records: readonly OutgoingRecord[]): Promise<number> {
    const topic = this.#topic;
    const messages = records.map(({ key, value }) => ({ topic, partition, key, value }));
    const { offsets } = await this.#producer.send({ messages });
    const acknowledged = offsets?.find((offset) => offset.partition === partition);
    if (acknowledged === undefined) throw new Error('acknowledged without an offset');
    return Number(acknowledged.offset);
  }

  refresh(): void {
    this.#wake();
  }

  async close(): Promise<void> {
    this.#closing.abort();
    this.#wake();
    await this.#producer.close();
    await this.#watching;
  }

  async #watchLayout(): Promise<void> {
    while (!this.#closing.signal.aborted) {
      let waitMs = layoutMs;
      try {
        this.#partitions = (await readTopicLayout(this.#producer, this.#topic)).partitions;
      } catch (error) {
        this.#log.debug({ err: error }, 'kafka metadata could not be read');
        waitMs = layoutRetryMs;
      }
      const woken = new AbortController();
      this.#wake = () => woken.abort();
      if (waitMs === layoutMs) await sleep(waitMs, woken.signal);
      // Failed or asked for: not more often than this, however many batches ask.
      await sleep(layoutRetryMs, this.#closing.signal);
    }
  }
}
