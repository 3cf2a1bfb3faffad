import { sessionOfKey } from '#common/contracts/vote-submitted.ts';
import type { PartitionBatch } from '#common/log-reader.ts';

/** What was read of one partition since the last checkpoint. */
export interface PartitionCount {
  readonly partition: number;
  readonly from: number;
  readonly next: number;
  /** Session id → records. */
  readonly sessions: ReadonlyMap<string, number>;
}

/** Records whose key is no session's id are put to the account of this one. */
export const noSession = '00000000-0000-0000-0000-000000000000';

interface Counting {
  readonly from: number;
  next: number;
  /** By the key's bytes as text: a UUID made of each record's key would cost more than the rest. */
  readonly byKey: Map<string, number>;
}

const noKey = '';

/** Counts records per session and partition between two checkpoints. Holds counts, no records. */
export class Tally {
  readonly #partitions = new Map<number, Counting>();

  /**
   * Adds what was taken from the log. Throws a RangeError when it does not follow on what was added
   * before, or when records are missing in it: the log is dense, so the count would be wrong.
   */
  add({ partition, from, next, records }: PartitionBatch): void {
    const counting = this.#partitions.get(partition) ?? { from, next: from, byKey: new Map() };
    if (counting.next !== from || next - from !== records.length) {
      throw new RangeError(
        `partition ${partition}: ${records.length} records from ${from} to ${next}, ` +
          `expected from ${counting.next}`,
      );
    }
    for (const { key } of records) {
      const name = key?.length === 16 ? key.toString('latin1') : noKey;
      counting.byKey.set(name, (counting.byKey.get(name) ?? 0) + 1);
    }
    counting.next = next;
    this.#partitions.set(partition, counting);
  }

  /** What has been added, in order of partition; the tally starts anew. */
  takeAll(): PartitionCount[] {
    const counts = [...this.#partitions].map(([partition, { from, next, byKey }]) => {
      const sessions = new Map<string, number>();
      for (const [name, records] of byKey) {
        sessions.set(sessionOfKey(Buffer.from(name, 'latin1')) ?? noSession, records);
      }
      return { partition, from, next, sessions };
    });
    this.#partitions.clear();
    return counts.toSorted((a, b) => a.partition - b.partition);
  }
}
