import type { PartitionBatch } from '#common/log-reader.ts';

/**
 * A log of votes, read from explicit offsets. Two implementations: `LogReader` on Kafka, and one in
 * memory. Offsets within a partition are dense.
 */
export interface VoteSource {
  /** The partitions to read: new ones start where the map says, those already read go on. */
  assign(positions: ReadonlyMap<number, number>): void;
  /**
   * What has come, at most `recordsMax` records; waits up to `waitMs` for the first. Throws when an
   * assigned offset lies outside the log, and when the log is another one.
   */
  take(recordsMax: number, waitMs: number): Promise<PartitionBatch[]>;
  /** Where the next `take` of each assigned partition begins. */
  positions(): ReadonlyMap<number, number>;
  /** Each assigned partition's end as last heard. */
  logEnds(): ReadonlyMap<number, number>;
}
