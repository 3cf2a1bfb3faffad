import { sleep } from '#common/clock.ts';
import { createGrouplessConsumer, readLogBounds, readTopicLayout } from '#common/kafka.ts';

export interface RawRecord {
  readonly partition: number;
  readonly offset: number;
  readonly key: Buffer | null;
  readonly value: Buffer | null;
}

export interface LogRead {
  readonly starts: readonly number[];
  readonly ends: readonly number[];
  readonly records: readonly RawRecord[];
}

const triesMax = 40;

/**
 * Reads a topic from offsets (its start where none is given) to where it ends now, with a reader of
 * its own: the checker does not believe the one that it checks.
 */
export async function readLog(
  brokers: readonly string[],
  topic: string,
  from: readonly number[] = [],
): Promise<LogRead> {
  const options = { brokers, clientId: 'checker' };
  const starts = await readLogBounds(options, topic, 'earliest');
  const ends = await readLogBounds(options, topic, 'latest');
  const consumer = createGrouplessConsumer(options);
  const records: RawRecord[] = [];
  try {
    const layout = await readTopicLayout(consumer, topic);
    for (const [partition, end] of ends.entries()) {
      let next = Math.max(from[partition] ?? 0, starts[partition]!);
      for (let tries = 0; next < end; tries += 1) {
        if (tries > triesMax) throw new Error(`${topic}/${partition} cannot be read at ${next}`);
        const { leader } = layout.partitions[partition]!;
        const before = next;
        const answer = await consumer.fetch({
          node: leader,
          maxWaitTime: 200,
          minBytes: 1,
          maxBytes: 8 * 1024 * 1024,
          topics: [
            {
              topicId: layout.topicId,
              partitions: [
                {
                  partition,
                  fetchOffset: BigInt(next),
                  partitionMaxBytes: 4 * 1024 * 1024,
                  currentLeaderEpoch: -1,
                  lastFetchedEpoch: -1,
                },
              ],
            },
          ],
        });
        const batches = answer.responses.flatMap(({ partitions }) =>
          partitions.flatMap((one) => one.records ?? []),
        );
        for (const { firstOffset, lastOffsetDelta, records: list } of batches) {
          const first = Number(firstOffset);
          for (const { offsetDelta, key, value } of list) {
            const offset = first + offsetDelta;
            if (offset >= next && offset < end) records.push({ partition, offset, key, value });
          }
          next = Math.max(next, first + lastOffsetDelta + 1);
        }
        if (next > before) tries = 0;
        else await sleep(50);
      }
    }
  } finally {
    await consumer.close(true);
  }
  return { starts, ends, records };
}
