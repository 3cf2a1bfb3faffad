import { OffsetOutOfRangeError, type PartitionBatch } from '#common/log-reader.ts';
import type { VoteSource } from '../../regional-core/ledger/vote-source.ts';
import type { MemoryTopic } from './memory-kafka.ts';
import type { Network } from './network.ts';
import type { Random } from './random.ts';
import type { Process } from './timeline.ts';

/** Reads a topic from explicit offsets, in pieces of any size. */
export class SimulatedVoteSource implements VoteSource {
  readonly #topic: MemoryTopic;
  readonly #network: Network;
  readonly #random: Random;
  readonly #process: Process;
  readonly #route: string;
  readonly #positions = new Map<number, number>();

  constructor(parts: {
    topic: MemoryTopic;
    network: Network;
    random: Random;
    process: Process;
    route: string;
  }) {
    this.#topic = parts.topic;
    this.#network = parts.network;
    this.#random = parts.random;
    this.#process = parts.process;
    this.#route = parts.route;
  }

  assign(positions: ReadonlyMap<number, number>): void {
    for (const partition of this.#positions.keys()) {
      if (!positions.has(partition)) this.#positions.delete(partition);
    }
    for (const [partition, offset] of positions) {
      if (!this.#positions.has(partition)) this.#positions.set(partition, offset);
    }
  }

  async take(recordsMax: number, waitMs: number): Promise<PartitionBatch[]> {
    if (!this.#hasNews()) await this.#untilNews(waitMs);
    const room = this.#random.chance(0.3) ? this.#random.whole(1, 4) : recordsMax;
    // Cut while the broker was asked: nothing has come, and nothing was handed out.
    return this.#network
      .call({
        from: this.#process,
        point: 'ledger.take',
        route: this.#route,
        serve: () => true,
        patienceMs: 1000,
        lost: (why) => new Error(`fetch: ${why}`),
      })
      .then(
        () => this.#cut(room),
        () => [],
      );
  }

  positions(): ReadonlyMap<number, number> {
    return new Map(this.#positions);
  }

  logEnds(): ReadonlyMap<number, number> {
    const ends = new Map<number, number>();
    for (const partition of this.#positions.keys()) ends.set(partition, this.#end(partition));
    return ends;
  }

  #end(partition: number): number {
    return this.#topic.partitions[partition]!.records.length;
  }

  #hasNews(): boolean {
    for (const [partition, at] of this.#positions) if (this.#end(partition) !== at) return true;
    return false;
  }

  #untilNews(waitMs: number): Promise<void> {
    return new Promise((resolve) => {
      this.#process.after(waitMs, resolve);
      for (const partition of this.#positions.keys()) {
        this.#topic.partitions[partition]!.watch(() => this.#process.after(1, resolve));
      }
    });
  }

  #cut(recordsMax: number): PartitionBatch[] {
    const batches: PartitionBatch[] = [];
    let room = recordsMax;
    for (const [partition, from] of this.#positions) {
      const { records } = this.#topic.partitions[partition]!;
      if (from > records.length) throw new OffsetOutOfRangeError(partition, from);
      const cut = records.slice(from, from + room);
      if (cut.length === 0) continue;
      room -= cut.length;
      const next = from + cut.length;
      this.#positions.set(partition, next);
      batches.push({
        partition,
        from,
        next,
        logEnd: records.length,
        records: cut.map(({ key, value }, index) => ({ offset: from + index, key, value })),
      });
      if (room === 0) break;
    }
    return batches;
  }
}
