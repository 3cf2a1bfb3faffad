import { sleep } from '#common/clock.ts';
import {
  decodeSessionsMessage,
  isNewerSession,
  type RegionsMessage,
  type SessionMessage,
} from '#common/contracts/session.ts';
import {
  type Covers,
  decodeTotalsMessage,
  type TotalsMessage,
} from '#common/contracts/vote-aggregated.ts';
import { followTopic } from '#common/follow-topic.ts';
import type { LogReaderOptions } from '#common/log-reader.ts';

/** How far totals were told: a database that lies behind any of it has lost commits. */
export interface ToldTotals {
  readonly epoch: number;
  readonly covers: Covers;
  readonly corrections: number;
}

/** What the region's topics hold already: nobody is told less after it. */
export interface Told {
  readonly totals: ToldTotals;
  readonly sessions: readonly SessionMessage[];
  readonly regions?: RegionsMessage;
  /** The last word on whether totals hold: since when, ms, or that they do not. */
  readonly staleSinceMs: number | null;
}

/** What topics without a record hold. */
export const nothingTold: Told = {
  totals: { epoch: 0, covers: {}, corrections: 0 },
  sessions: [],
  staleSinceMs: null,
};

/** Reads both topics to their ends: what a publisher before this one has told. */
export async function readTold(
  topics: { readonly totals: LogReaderOptions; readonly sessions: LogReaderOptions },
  ending: AbortSignal,
): Promise<Told> {
  let { totals, staleSinceMs } = nothingTold;
  let regions: RegionsMessage | undefined;
  const sessions = new Map<string, SessionMessage>();
  await readToEnd(topics.totals, ending, (value) => {
    const message = decodeTotalsMessage(value);
    if (message !== undefined) totals = higherOf(totals, toldBy(message));
  });
  await readToEnd(topics.sessions, ending, (value) => {
    const message = decodeSessionsMessage(value);
    if (message?.type === 'session') {
      const held = sessions.get(message.session_id);
      if (isNewerSession(message, held)) sessions.set(message.session_id, message);
    } else if (message?.type === 'regions') {
      if (message.epoch >= (regions?.epoch ?? 0)) regions = message;
    } else if (message?.type === 'totals_stale') {
      staleSinceMs = message.since_ms;
    }
  });
  return {
    totals,
    sessions: [...sessions.values()],
    staleSinceMs,
    ...(regions === undefined ? {} : { regions }),
  };
}

async function readToEnd(
  options: LogReaderOptions,
  ending: AbortSignal,
  take: (value: Buffer | null) => void,
): Promise<void> {
  const follower = followTopic(options, (records) => records.forEach(({ value }) => take(value)));
  while (!follower.caughtUp() && !ending.aborted) await sleep(20, ending);
  await follower.close();
}

function toldBy({ epoch, covers, corrections }: TotalsMessage): ToldTotals {
  return { epoch, covers, corrections: corrections ?? 0 };
}

/** The higher epoch, offset of each partition, and number of corrections. */
export function higherOf(a: ToldTotals, b: ToldTotals): ToldTotals {
  const logs = new Set([...Object.keys(a.covers), ...Object.keys(b.covers)]);
  const covers = Object.fromEntries(
    [...logs].map((log) => {
      const [one, other] = [a.covers[log] ?? [], b.covers[log] ?? []];
      const longer = one.length >= other.length ? one : other;
      return [log, longer.map((_, at) => Math.max(one[at] ?? 0, other[at] ?? 0))];
    }),
  );
  return {
    epoch: Math.max(a.epoch, b.epoch),
    covers,
    corrections: Math.max(a.corrections, b.corrections),
  };
}
