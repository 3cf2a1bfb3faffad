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
import type { WriterTold } from '#common/postgres.ts';
import { newerCounts, type ToldCounts } from './replays.ts';

/** How far totals were told: a database that lies behind any of it has lost commits. */
export interface ToldTotals {
  readonly epoch: number;
  readonly covers: Covers;
  readonly corrections: number;
}

/** What the region's topics hold already: nobody is told less after it. */
export interface Told {
  readonly totals: ToldTotals;
  /** By session id: what a count may have fallen from. */
  readonly counts: ReadonlyMap<string, ToldCounts>;
  /** The newest server that was read. */
  readonly writer: WriterTold;
  readonly sessions: readonly SessionMessage[];
  readonly regions?: RegionsMessage;
  /** The last word on whether totals hold: since when, ms, or that they do not. */
  readonly staleSinceMs: number | null;
}

/** What topics without a record hold. */
export const nothingTold: Told = {
  totals: { epoch: 0, covers: {}, corrections: 0 },
  counts: new Map(),
  writer: { epoch: 0, timeline: 0 },
  sessions: [],
  staleSinceMs: null,
};

/** Reads both topics to their ends: what a publisher before this one has told. */
export async function readTold(
  topics: { readonly totals: LogReaderOptions; readonly sessions: LogReaderOptions },
  ending: AbortSignal,
): Promise<Told> {
  let { staleSinceMs } = nothingTold;
  const telling = new TellingTotals();
  let regions: RegionsMessage | undefined;
  const sessions = new Map<string, SessionMessage>();
  await readToEnd(topics.totals, ending, (value) => {
    const message = decodeTotalsMessage(value);
    if (message !== undefined) telling.hear(message);
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
    ...telling.told,
    sessions: [...sessions.values()],
    staleSinceMs,
    ...(regions === undefined ? {} : { regions }),
  };
}

/** What one message of totals after another says together. */
export class TellingTotals {
  #totals = nothingTold.totals;
  #writer = nothingTold.writer;
  readonly #counts = new Map<string, ToldCounts>();

  get told(): Pick<Told, 'totals' | 'counts' | 'writer'> {
    return { totals: this.#totals, counts: this.#counts, writer: this.#writer };
  }

  hear(message: TotalsMessage): void {
    const { session_id, epoch, timeline = 0, covers, corrections = 0 } = message;
    this.#totals = higherOf(this.#totals, { epoch, covers, corrections });
    this.#counts.set(session_id, newerCounts(this.#counts.get(session_id), message));
    const isNewer = epoch > this.#writer.epoch;
    // Timelines of a database that was made anew begin again, in a higher epoch.
    if (isNewer || (epoch === this.#writer.epoch && timeline > this.#writer.timeline)) {
      this.#writer = { epoch, timeline };
    }
  }
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
