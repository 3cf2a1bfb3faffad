import type { Partition } from '#common/kafka.ts';
import type { OutgoingRecord, VoteLog } from '../../regional-core/intake/vote-log.ts';
import type { Network } from './network.ts';
import type { Process, Timeline } from './timeline.ts';

interface Kept extends OutgoingRecord {
  readonly atMs: number;
}

/** One partition: a log that only grows, and the broker that leads it (−1: none). */
export class MemoryPartition {
  readonly records: Kept[] = [];
  leader: number;
  /** A broker that is stopped or replicates slowly: it takes what it is given, later. */
  stalledUntilMs = 0;
  #watchers: (() => void)[] = [];

  constructor(leader: number) {
    this.leader = leader;
  }

  write(records: readonly OutgoingRecord[], atMs: number): number {
    const base = this.records.length;
    for (const { key, value } of records) this.records.push({ key, value, atMs });
    const watchers = this.#watchers;
    this.#watchers = [];
    for (const wake of watchers) wake();
    return base;
  }

  /** Calls `wake` once, when something is written. */
  watch(wake: () => void): void {
    this.#watchers.push(wake);
  }
}

/** A topic of a region's Kafka, as durable as Kafka with acks from all in-sync replicas. */
export class MemoryTopic {
  readonly name: string;
  readonly partitions: readonly MemoryPartition[];
  readonly #timeline: Timeline;
  /** What a broker that acknowledged alone takes with it when it goes; 0 for acks=all. */
  unreplicatedMs = 0;

  constructor(timeline: Timeline, name: string, partitions: number, brokers: number) {
    this.name = name;
    this.#timeline = timeline;
    this.partitions = Array.from(
      { length: partitions },
      (_, number) => new MemoryPartition(number % brokers),
    );
  }

  layout(): Partition[] {
    return this.partitions.map(({ leader }, partition) => ({ partition, leader }));
  }

  /** The leader goes; another one takes over after a while. */
  loseLeader(partition: number, awayMs: number, next: number): void {
    const moved = this.partitions[partition]!;
    moved.leader = -1;
    if (this.unreplicatedMs > 0) {
      const keptUntilMs = this.#timeline.nowMs - this.unreplicatedMs;
      while ((moved.records.at(-1)?.atMs ?? 0) > keptUntilMs) moved.records.pop();
    }
    this.#timeline.after(awayMs, () => {
      moved.leader = next;
    });
  }

  /** What a broker does with a request to write to a partition it is thought to lead. */
  append(
    partition: number,
    believedLeader: number,
    records: readonly OutgoingRecord[],
  ): number | Promise<number> {
    const asked = this.partitions[partition]!;
    if (asked.leader < 0 || asked.leader !== believedLeader) throw new Error('NOT_LEADER');
    const stalledMs = asked.stalledUntilMs - this.#timeline.nowMs;
    if (stalledMs <= 0) return asked.write(records, this.#timeline.nowMs);
    return new Promise((resolve, reject) => {
      this.#timeline.after(stalledMs, () => {
        if (asked.leader === believedLeader) {
          resolve(asked.write(records, this.#timeline.nowMs));
        } else reject(new Error('NOT_LEADER'));
      });
    });
  }
}

const requestMs = 5000;

/** A producer of one process: it knows the leaders as of when it last asked. */
export class SimulatedVoteLog implements VoteLog {
  readonly #topic: MemoryTopic;
  readonly #network: Network;
  readonly #process: Process;
  readonly #route: string;
  readonly #point: string;
  #layout: Partition[];
  #isAsking = false;

  constructor(parts: {
    topic: MemoryTopic;
    network: Network;
    process: Process;
    route: string;
    /** The await's name in the coverage table. */
    point: string;
  }) {
    this.#topic = parts.topic;
    this.#network = parts.network;
    this.#process = parts.process;
    this.#route = parts.route;
    this.#point = parts.point;
    this.#layout = parts.topic.layout();
  }

  partitions(): readonly Partition[] {
    return this.#layout;
  }

  append(partition: number, records: readonly OutgoingRecord[]): Promise<number> {
    const leader = this.#layout[partition]!.leader;
    return this.#network.call({
      from: this.#process,
      point: this.#point,
      route: this.#route,
      serve: () => this.#topic.append(partition, leader, records),
      patienceMs: requestMs,
      lost: (why) => new Error(`append: ${why}`),
    });
  }

  refresh(): void {
    if (this.#isAsking) return;
    this.#isAsking = true;
    this.#network.after(
      200,
      () => {
        this.#isAsking = false;
        if (!this.#network.isCut(this.#route)) this.#layout = this.#topic.layout();
      },
      this.#process,
    );
  }
}
