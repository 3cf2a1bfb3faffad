import { sleep } from '#common/clock.ts';
import { type Covers, decodeTotalsMessage } from '#common/contracts/vote-aggregated.ts';
import { followTopic } from '#common/follow-topic.ts';
import type { LogReaderOptions } from '#common/log-reader.ts';

/** The highest log positions in the topic of totals: what a publisher before this one has told. */
export async function readPublished(
  options: LogReaderOptions,
  ending: AbortSignal,
): Promise<Covers> {
  let highest: Covers = {};
  const follower = followTopic(options, (records) => {
    for (const { value } of records) {
      const message = decodeTotalsMessage(value);
      if (message !== undefined) highest = higherOf(highest, message.covers);
    }
  });
  while (!follower.caughtUp() && !ending.aborted) await sleep(20, ending);
  await follower.close();
  return highest;
}

/** The higher offset of each partition. */
export function higherOf(a: Covers, b: Covers): Covers {
  const regions = new Set([...Object.keys(a), ...Object.keys(b)]);
  return Object.fromEntries(
    [...regions].map((region) => {
      const [one, other] = [a[region] ?? [], b[region] ?? []];
      const longer = one.length >= other.length ? one : other;
      return [region, longer.map((_, at) => Math.max(one[at] ?? 0, other[at] ?? 0))];
    }),
  );
}
