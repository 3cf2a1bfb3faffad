import type { KafkaOptions } from '#common/kafka.ts';
import type { Log } from '#common/log.ts';
import { LogReader, type LogRecord } from '#common/log-reader.ts';
import { shuffled } from './shuffle.ts';

/** A topic in a region's Kafka. */
export type TopicToRead = KafkaOptions & { readonly topic: string; readonly log: Log };

/** Offsets of a partition: `from` up to, and without, `to`. */
export interface Span {
  readonly partition: number;
  readonly from: number;
  readonly to: number;
}

export type OnRecords = (partition: number, records: readonly LogRecord[]) => Promise<void> | void;

const silenceMsMax = 15_000;
const recordsAtOnceMax = 20_000;

/**
 * Reads spans of a topic, one a partition, side by side. Throws an Error with one sentence when
 * nothing is heard for 15 s.
 */
export async function readSpans(
  topic: TopicToRead,
  spans: readonly Span[],
  onRecords: OnRecords,
): Promise<void> {
  const reader = new LogReader(topic);
  try {
    await readWith(reader, topic, spans, onRecords);
  } finally {
    await reader.close();
  }
}

/**
 * The same in an order that `random` chooses: partitions in pieces of 20,000 records, the pieces of
 * all partitions mixed, and the records of a piece mixed again.
 */
export async function readSpansShuffled(
  topic: TopicToRead,
  spans: readonly Span[],
  random: () => number,
  onRecords: OnRecords,
): Promise<void> {
  const pieces = spans.flatMap(({ partition, from, to }) =>
    Array.from({ length: Math.ceil((to - from) / recordsAtOnceMax) }, (_, index): Span => {
      const start = from + index * recordsAtOnceMax;
      return { partition, from: start, to: Math.min(start + recordsAtOnceMax, to) };
    }),
  );
  // A fetch still waits at the end of the piece before: it must not hold up the next.
  const reader = new LogReader({ ...topic, maxWaitMs: 5 });
  try {
    for (const piece of shuffled(pieces, random)) {
      const held: LogRecord[] = [];
      await readWith(reader, topic, [piece], (_, records) => {
        held.push(...records);
      });
      await onRecords(piece.partition, shuffled(held, random));
    }
  } finally {
    await reader.close();
  }
}

async function readWith(
  reader: LogReader,
  topic: TopicToRead,
  spans: readonly Span[],
  onRecords: OnRecords,
): Promise<void> {
  const unread = new Map(
    spans.filter(({ from, to }) => to > from).map(({ partition, to }) => [partition, to]),
  );
  const starts = spans.filter(({ partition }) => unread.has(partition));
  reader.assign(new Map());
  reader.assign(new Map(starts.map(({ partition, from }) => [partition, from])));
  let heardAtMs = performance.now();
  while (unread.size > 0) {
    const batches = await reader.take(recordsAtOnceMax, silenceMsMax);
    // An answer about a span before this one wakes it, too: only time tells silence.
    if (batches.length > 0) heardAtMs = performance.now();
    else if (performance.now() - heardAtMs > silenceMsMax - 1) {
      throw new Error(`Kafka at ${topic.brokers.join()} does not answer.`);
    }
    for (const { partition, next, records } of batches) {
      const end = unread.get(partition);
      if (end === undefined) continue;
      await onRecords(
        partition,
        records.filter(({ offset }) => offset < end),
      );
      if (next >= end) unread.delete(partition);
    }
  }
}
