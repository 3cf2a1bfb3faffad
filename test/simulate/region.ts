import type { MemoryRedis } from './memory-claims.ts';
import type { MemoryTopic } from './memory-kafka.ts';
import type { MessageTopic } from './message-topic.ts';

/** What a region has of its own, however its processes come and go. */
export interface Region {
  readonly name: string;
  /** Number of its own log. */
  readonly logNo: number;
  /** Number of the log in which it holds the other region's copies. */
  readonly standbyNo: number;
  readonly votes: MemoryTopic;
  readonly standby: MemoryTopic;
  readonly sessions: MessageTopic;
  readonly totals: MessageTopic;
  readonly redis: MemoryRedis;
  /** So few requests a second are let in from one address that some will be refused. */
  readonly isTight: boolean;
  /** The highest epoch that its topics tell of. */
  epochTold: number;
  /** Destroyed: nothing of it answers any more. */
  isGone: boolean;
}

export const clusterIdOf = (region: string): string => `cluster-${region}`;
