import type { Partition } from '#common/kafka.ts';
import type { OutgoingRecord, VoteLog } from '../../regional-core/intake/vote-log.ts';

/** What the next append does: answer, fail without or after writing, or never answer. */
export type Fault = 'none' | 'not_written' | 'written_unanswered' | 'refused';

/** A log in memory that fails on demand; `faults` are used up one an append. */
export class MemoryVoteLog implements VoteLog {
  readonly written: OutgoingRecord[][];
  readonly appends: { partition: number; records: number }[] = [];
  faults: Fault[] = [];
  layout: Partition[];

  constructor(leaders: readonly number[]) {
    this.layout = leaders.map((leader, partition) => ({ partition, leader }));
    this.written = leaders.map(() => []);
  }

  partitions(): readonly Partition[] {
    return this.layout;
  }

  append(partition: number, records: readonly OutgoingRecord[]): Promise<number> {
    this.appends.push({ partition, records: records.length });
    const fault = this.faults.shift() ?? 'none';
    if (fault === 'refused') return Promise.reject(new Error('refused'));
    if (fault === 'not_written') return new Promise(() => undefined);
    const base = this.written[partition]!.length;
    this.written[partition]!.push(...records);
    return fault === 'none' ? Promise.resolve(base) : new Promise(() => undefined);
  }

  refresh(): void {}
}
