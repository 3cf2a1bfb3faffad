import { finalRecordKind } from '#common/contracts/final.ts';
import { sealRecordKind } from '#common/contracts/seal.ts';
import { sessionOfKey } from '#common/contracts/vote-submitted.ts';
import type { LogRecord, PartitionBatch } from '#common/log-reader.ts';

/** What was read of one partition since the last checkpoint. */
export interface PartitionCount {
  readonly partition: number;
  readonly from: number;
  readonly next: number;
  /** Session id → records of either kind. */
  readonly sessions: ReadonlyMap<string, SessionCount>;
}

export interface SessionCount {
  /** Votes, and what cannot be read as anything else. */
  readonly accepted: number;
  /** What says that it is a seal or a final statement. */
  readonly control: number;
}

/** Records whose key is no session's id are put to the account of this one. */
export const noSession = '00000000-0000-0000-0000-000000000000';

interface Counting {
  readonly from: number;
  next: number;
  /** By the key's bytes as text: a UUID made of each record's key would cost more than the rest. */
  readonly byKey: Map<string, { accepted: number; control: number }>;
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
    for (const { key, value } of records) {
      const name = key?.length === 16 ? key.toString('latin1') : noKey;
      let count = counting.byKey.get(name);
      if (count === undefined) {
        count = { accepted: 0, control: 0 };
        counting.byKey.set(name, count);
      }
      count[isControlRecord(value) ? 'control' : 'accepted']++;
    }
    counting.next = next;
    this.#partitions.set(partition, counting);
  }

  /** What has been added, in order of partition; the tally starts anew. */
  takeAll(): PartitionCount[] {
    const counts = [...this.#partitions].map(([partition, { from, next, byKey }]) => {
      const sessions = new Map<string, SessionCount>();
      for (const [name, count] of byKey) {
        sessions.set(sessionOfKey(Buffer.from(name, 'latin1')) ?? noSession, count);
      }
      return { partition, from, next, sessions };
    });
    this.#partitions.clear();
    return counts.toSorted((a, b) => a.partition - b.partition);
  }
}

/** True for what says that it is a seal or a final statement; a forged one says so, too. */
export function isControlRecord(value: LogRecord['value']): boolean {
  return value?.[0] === sealRecordKind || value?.[0] === finalRecordKind;
}
