import type { TopicLayout } from './kafka.ts';

/** The offset asked for lies outside the log: records are gone, or the log is not the one meant. */
export class OffsetOutOfRangeError extends Error {
  readonly partition: number;
  readonly offset: number;
  constructor(partition: number, offset: number, why = `has no offset ${offset}`) {
    super(`partition ${partition} ${why}`);
    this.name = 'OffsetOutOfRangeError';
    this.partition = partition;
    this.offset = offset;
  }
}

/**
 * Records that were read are not in the log any more, although it may be as long as before: a
 * broker that did not have them was elected. What stands at their offsets now are other records.
 */
export class LogDivergedError extends OffsetOutOfRangeError {
  constructor(partition: number, offset: number, agreedTo: number) {
    super(partition, offset, `was read to ${offset}, but agrees with what was read to ${agreedTo}`);
    this.name = 'LogDivergedError';
  }
}

/** The topic was deleted and made again, or the cluster is another: offsets name other records. */
export class LogReplacedError extends Error {
  constructor(was: TopicLayout, is: TopicLayout) {
    super(
      `the log was topic ${was.topicId} of cluster ${was.clusterId}, ` +
        `and is topic ${is.topicId} of cluster ${is.clusterId}`,
    );
    this.name = 'LogReplacedError';
  }
}
