import { DAY_MS } from '../clock.ts';

/**
 * The Kafka topics of one region, as they are declared. Whoever creates or checks a cluster reads
 * this list; nothing is created on first use (auto.create.topics.enable=false).
 *
 * Replication is a property of the cluster (3 with min in-sync 2 on AWS, 1 on one machine), so it
 * is given by the creator, not here.
 */
export interface TopicDeclaration {
  readonly name: TopicName;
  readonly partitions: number;
  readonly config: Readonly<Record<string, string>>;
}

export type TopicName =
  | 'vote-submitted'
  | 'vote-standby'
  | 'vote-aggregated'
  | 'vote-context'
  | 'sessions';

/**
 * A vote's record is needed until the result is final: a session of a week, and a day to finish.
 */
export const voteLogRetentionMs = 8 * DAY_MS;

const voteLog: Omit<TopicDeclaration, 'name'> = {
  partitions: 30,
  // No byte limit: a limit in bytes would drop unread votes at the peak.
  config: {
    'cleanup.policy': 'delete',
    'retention.ms': String(voteLogRetentionMs),
    'retention.bytes': '-1',
    'unclean.leader.election.enable': 'false',
  },
};

export const topics: readonly TopicDeclaration[] = [
  { name: 'vote-submitted', ...voteLog },
  // Copies of another region's votes: read only once that region was declared lost.
  { name: 'vote-standby', ...voteLog },
  {
    name: 'vote-aggregated',
    partitions: 10,
    // The latest totals of every session, final ones too, are what a results process starts from.
    config: {
      'cleanup.policy': 'compact',
      'segment.ms': '600000',
      'min.cleanable.dirty.ratio': '0.1',
      'unclean.leader.election.enable': 'false',
    },
  },
  {
    name: 'vote-context',
    partitions: 10,
    config: { 'cleanup.policy': 'delete', 'retention.ms': String(7 * DAY_MS) },
  },
  {
    name: 'sessions',
    partitions: 1,
    config: {
      'cleanup.policy': 'compact',
      'segment.ms': '600000',
      'unclean.leader.election.enable': 'false',
    },
  },
];

/**
 * Copies that must have a record before it is acknowledged (`min.insync.replicas`), set on each
 * topic: with one the acknowledgement of "all in-sync replicas" may be that of a single disk.
 */
export function minInSyncReplicas(replication: number): number {
  return replication > 1 ? 2 : 1;
}

/** The topic's name in the cluster: tests share one cluster and tell their topics by a prefix. */
export function topicName(prefix: string, name: TopicName): string {
  return `${prefix}${name}`;
}
