import { voteLogRetentionMs } from '#common/contracts/topics.ts';
import { voteRecordKey } from '#common/contracts/vote-submitted.ts';
import { createGrouplessConsumer, type KafkaOptions, readLogBounds } from '#common/kafka.ts';
import type { Log } from '#common/log.ts';
import { isControlRecord } from '../../regional-core/records/log-counter/tally.ts';
import { readSpans } from './recount/read-spans.ts';

/** How many records of a session a partition holds, on either side of an offset. */
export interface PartitionHolds {
  readonly partition: number;
  readonly before: number;
  readonly from: number;
  /** Of those from the offset on: what says that it is a seal or a final statement. */
  readonly controlFrom: number;
}

/** What a partition still has, in offsets. */
export interface PartitionBounds {
  /** Where it begins by now; records leave it after 8 days. */
  readonly start: number;
  readonly end: number;
  /** The first record written since the session opened; −1 when there is none. */
  readonly sinceOpening: number;
}

/** True when a partition may have dropped records of a session that opened `openedAgoMs` ago. */
export function mayHaveDropped(bounds: PartitionBounds, openedAgoMs: number): boolean {
  const { start, end, sinceOpening } = bounds;
  if (start === 0 || openedAgoMs < voteLogRetentionMs) return false;
  // Where a record from before the opening is still there, so are all that came after it.
  return start === end || sinceOpening === start;
}

/**
 * Reads a region's log, from where it starts to where it ends now, and counts one session's records
 * before and from an offset given per partition. Throws an Error with one sentence when the log may
 * have dropped some of them, or nothing is heard for 15 s.
 */
export async function countLog(
  kafka: KafkaOptions & { readonly topic: string; readonly log: Log },
  session: { readonly sessionId: string; readonly opensAtMs: number },
  splitAt: ReadonlyMap<number, number>,
): Promise<PartitionHolds[]> {
  const bounds = await readBounds(kafka, session.opensAtMs);
  const openedAgoMs = Date.now() - session.opensAtMs;
  const dropped = bounds.findIndex((partition) => mayHaveDropped(partition, openedAgoMs));
  if (dropped >= 0) {
    throw new Error(
      `Partition ${dropped} begins after the session opened: ` +
        'some of its records may be gone, and cannot be counted.',
    );
  }
  const key = voteRecordKey(session.sessionId);
  const held = bounds.map((_, partition) => ({ partition, before: 0, from: 0, controlFrom: 0 }));
  const spans = bounds.map(({ start, end }, partition) => ({ partition, from: start, to: end }));
  await readSpans(kafka, spans, (partition, records) => {
    const split = splitAt.get(partition) ?? 0;
    const own = held[partition]!;
    for (const record of records) {
      if (!record.key?.equals(key)) continue;
      if (record.offset < split) own.before++;
      else {
        own.from++;
        if (isControlRecord(record.value)) own.controlFrom++;
      }
    }
  });
  return held;
}

/** What each partition still has; `opensAtMs` in ms since the epoch. */
export async function readBounds(
  kafka: KafkaOptions & { readonly topic: string },
  opensAtMs: number,
): Promise<PartitionBounds[]> {
  const starts = await readLogBounds(kafka, kafka.topic, 'earliest');
  const since = await readOffsetsSince(kafka, opensAtMs);
  const ends = await readLogBounds(kafka, kafka.topic, 'latest');
  return ends.map((end, partition) => ({
    start: starts[partition] ?? 0,
    end,
    sinceOpening: since[partition] ?? -1,
  }));
}

/** By partition, the first record written at or after a time (ms since the epoch); −1 for none. */
async function readOffsetsSince(
  kafka: KafkaOptions & { readonly topic: string },
  sinceMs: number,
): Promise<readonly number[]> {
  const consumer = createGrouplessConsumer(kafka);
  try {
    const offsets = await consumer.listOffsets({
      topics: [kafka.topic],
      timestamp: BigInt(sinceMs),
    });
    return (offsets.get(kafka.topic) ?? []).map(Number);
  } finally {
    await consumer.close(true);
  }
}
