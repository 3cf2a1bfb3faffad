import { sleep } from './clock.ts';
import { readLogBounds } from './kafka.ts';
import type { LogReaderOptions } from './log-reader.ts';
import { LogReader, type LogRecord, OffsetOutOfRangeError } from './log-reader.ts';

/**
 * Follows a compacted topic from its start, for as long as the process lives: state that is the
 * latest message of each key. Records arrive in the order of their partition.
 */
export interface TopicFollower {
  /** True once everything that stood in the topic at some moment has been handed on. */
  readonly caughtUp: () => boolean;
  /** Milliseconds since the end of the topic was last known to be reached; ∞ before that. */
  readonly behindMs: () => number;
  readonly close: () => Promise<void>;
}

const recordsAtOnceMax = 5000;

/**
 * Begins at once and tries again while Kafka is away. A record may be handed on again: where the
 * log was compacted past the place that was read, it is read anew from its start.
 */
export function followTopic(
  options: LogReaderOptions,
  onRecords: (records: readonly LogRecord[]) => void,
): TopicFollower {
  const reader = new LogReader(options);
  const closing = new AbortController();
  let reachedEndAtMs = Number.NEGATIVE_INFINITY;

  const startAtLogStart = async (): Promise<void> => {
    const starts = await readLogBounds(options, options.topic, 'earliest');
    reader.assign(new Map());
    reader.assign(new Map(starts.map((offset, partition) => [partition, offset])));
  };

  /** Partitions that were added since: their logs start at 0. */
  const followNew = (): void => {
    const followed = reader.positions();
    if (reader.size <= followed.size) return;
    const all = Array.from({ length: reader.size }, (_, partition): [number, number] => [
      partition,
      followed.get(partition) ?? 0,
    ]);
    reader.assign(new Map(all));
  };

  const run = async (): Promise<void> => {
    await untilDone(startAtLogStart);
    while (!closing.signal.aborted) {
      try {
        followNew();
        const batches = await reader.take(recordsAtOnceMax, 500);
        for (const batch of batches) if (batch.records.length > 0) onRecords(batch.records);
        if (reader.caughtUp()) reachedEndAtMs = Math.max(reachedEndAtMs, reader.endsKnownAtMs);
      } catch (error) {
        if (!(error instanceof OffsetOutOfRangeError)) throw error;
        // Compaction or a new topic: the latest of each key is what counts, so read it all again.
        await untilDone(startAtLogStart);
      }
    }
  };

  const untilDone = async (act: () => Promise<void>): Promise<void> => {
    while (!closing.signal.aborted) {
      try {
        return await act();
      } catch (error) {
        options.log.debug({ err: error }, 'topic cannot be read yet');
        await sleep(250, closing.signal);
      }
    }
  };

  const running = run();
  return {
    caughtUp: () => reachedEndAtMs > Number.NEGATIVE_INFINITY,
    behindMs: () => performance.now() - reachedEndAtMs,
    close: async () => {
      closing.abort();
      await reader.close();
      await running;
    },
  };
}
