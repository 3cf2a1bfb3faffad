import type { Receipt } from '#common/contracts/receipt.ts';
import type { TotalsMessage } from '#common/contracts/vote-aggregated.ts';
import type { Attempt } from '../crowd/history.ts';

/** Where a record lies: a log is a region's own, or a standby (`us-east-1@us-west-2`). */
export interface Place {
  readonly log: string;
  readonly partition: number;
  readonly offset: number;
}

/** A vote's record of the session, as read from Kafka. */
export interface VoteInLog extends Place {
  readonly voteId: string;
  readonly optionNo: number;
  readonly acceptedAtMs: number;
}

/** A row of votes, vote_conflicts or late_votes. */
export interface VoteRow extends Place {
  readonly voteId: string;
  readonly optionNo: number;
  readonly acceptedAtMs: number;
}

export interface PartitionBook {
  readonly log: string;
  readonly partition: number;
  /** Of the log itself; undefined when it is gone. */
  readonly logStart: number | undefined;
  readonly logEnd: number | undefined;
  /** Of Postgres. */
  readonly nextOffset: number;
  /** Sum of all verdicts of all sessions, control records included. */
  readonly judged: number;
}

/** All that the checker judges by: what clients saw, what Kafka holds, what Postgres says. */
export interface Evidence {
  /** By option number. */
  readonly optionIds: readonly string[];
  readonly closesAtMs: number;
  readonly sealedAtMs: number | undefined;
  readonly attempts: readonly Attempt[];
  /** A 201's receipt → its content; undefined when its signature is not good. */
  readonly receipts: ReadonlyMap<string, Receipt | undefined>;
  readonly records: readonly VoteInLog[];
  readonly rows: readonly VoteRow[];
  readonly conflicts: readonly VoteRow[];
  readonly late: readonly VoteRow[];
  readonly quarantined: readonly Place[];
  readonly voids: ReadonlySet<string>;
  /** Option number → votes, all partitions and corrections added up. */
  readonly tallies: ReadonlyMap<number, number>;
  readonly verdicts: Readonly<
    Record<'counted' | 'duplicate' | 'replayed' | 'late' | 'quarantined' | 'control', number>
  >;
  readonly books: readonly PartitionBook[];
  /** What each region's publisher said of the session, in the order of the log. */
  readonly published: ReadonlyMap<string, readonly (TotalsMessage & { corrections?: number })[]>;
  /** Logs that are not read any more because their region was declared lost, or never were. */
  readonly unreadLogs: ReadonlySet<string>;
}
