import { voteRecordKey } from '#common/contracts/vote-submitted.ts';
import { type KafkaOptions, readLogBounds } from '#common/kafka.ts';
import type { Log } from '#common/log.ts';
import { LogReader } from '#common/log-reader.ts';

/** How many records of a session a partition holds, on either side of an offset. */
export interface PartitionHolds {
  readonly partition: number;
  readonly before: number;
  readonly from: number;
}

const silenceMsMax = 15_000;
const recordsAtOnceMax = 50_000;

/**
 * Reads a region's whole log, from its start to where it ends now, and counts one session's records
 * before and from an offset given per partition. Throws an Error with one sentence when the log has
 * lost its beginning or nothing is heard for 15 s.
 */
export async function countLog(
  kafka: KafkaOptions & { readonly topic: string; readonly log: Log },
  sessionId: string,
  splitAt: ReadonlyMap<number, number>,
): Promise<PartitionHolds[]> {
  const starts = await readLogBounds(kafka, kafka.topic, 'earliest');
  const ends = await readLogBounds(kafka, kafka.topic, 'latest');
  const dropped = starts.findIndex((offset) => offset > 0);
  if (dropped >= 0) {
    throw new Error(`Partition ${dropped} has dropped its first records: they cannot be counted.`);
  }
  const key = voteRecordKey(sessionId);
  const held = ends.map((_, partition) => ({ partition, before: 0, from: 0 }));
  const unread = new Map([...ends.entries()].filter(([, end]) => end > 0));
  const reader = new LogReader(kafka);
  try {
    reader.assign(new Map([...unread.keys()].map((partition) => [partition, 0])));
    while (unread.size > 0) {
      const batches = await reader.take(recordsAtOnceMax, silenceMsMax);
      if (batches.length === 0)
        throw new Error(`Kafka at ${kafka.brokers.join()} does not answer.`);
      for (const { partition, next, records } of batches) {
        const end = ends[partition]!;
        for (const record of records) {
          if (record.offset >= end || !record.key?.equals(key)) continue;
          held[partition]![record.offset < (splitAt.get(partition) ?? 0) ? 'before' : 'from']++;
        }
        if (next >= end) unread.delete(partition);
      }
    }
  } finally {
    await reader.close();
  }
  return held;
}
