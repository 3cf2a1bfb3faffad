import type { Covers } from './covers.ts';

/** One option's line. Counts are null while the session keeps its results hidden. */
export type OptionResult = {
  option_id: string;
  label: string;
  vote_count: number | null;
  percentage: number | null;
};

/** `seal`, `void` or `restore`, and how many votes it moved. */
export type Correction = { kind: string; at: string; moved: number };

/** The totals of one session, as `GET /results/{session_id}` and the `snapshot` event give them. */
export type Results = {
  session_id: string;
  total_votes: number | null;
  options: readonly OptionResult[];
  last_updated: string;
  /** `scheduled`, `open`, `closed`, `sealed` (being checked) or `final`. */
  state: string;
  /** True while the figures hold behind the votes. */
  stale: boolean;
  /** What may have made a count fall. */
  corrections: readonly Correction[];
  is_finalized: boolean;
  /** Where the final result stands for good; null until there is one to be seen. */
  final_url: string | null;
  sequence: number;
  covers: Covers;
};

/**
 * The compact event of one tick: the total, and of each option that changed its place and count.
 */
export type Tick = { t: number; c: readonly (readonly [number, number])[] };

/** Reads a snapshot that came as JSON; null for anything that is not one. */
export function readResults(body: unknown): Results | null {
  if (typeof body !== 'object' || body === null) return null;
  const { options, sequence, covers } = body as Partial<Results>;
  if (!Array.isArray(options) || !Number.isSafeInteger(sequence)) return null;
  // A service before this one says nothing of the last four.
  const older = { state: 'open', stale: false, corrections: [], final_url: null };
  return { ...older, ...(body as Results), covers: covers ?? {} };
}

/** Reads the data of a tick; null for anything that is not one. */
export function readTick(data: string): Tick | null {
  try {
    const tick = JSON.parse(data) as Partial<Tick> | null;
    return Number.isSafeInteger(tick?.t) && Array.isArray(tick?.c) ? (tick as Tick) : null;
  } catch {
    return null;
  }
}

/** The one of the two that is newer: a late snapshot never takes bars back. */
export function newer(shown: Results | null, came: Results): Results {
  return shown === null || came.sequence >= shown.sequence ? came : shown;
}

/**
 * Totals after a tick. A tick names only what changed; percentages of all options follow from the
 * new total. A tick not newer than what is shown, or a place without an option, changes nothing.
 *
 * @param at when the tick came, RFC 3339: a tick carries no time of its own
 */
export function applyTick(shown: Results, tick: Tick, sequence: number, at: string): Results {
  if (sequence <= shown.sequence) return shown;
  const counts = new Map(tick.c);
  const options = shown.options.map((option, place) => {
    const count = counts.get(place) ?? option.vote_count;
    return { ...option, vote_count: count, percentage: shareOf(count, tick.t) };
  });
  return { ...shown, total_votes: tick.t, options, sequence, last_updated: at };
}

/** A share of the total from 0 to 100 with two decimals; 0 of nothing is 0. */
function shareOf(count: number | null, total: number): number | null {
  if (count === null) return null;
  return total <= 0 ? 0 : Math.round((count / total) * 10_000) / 100;
}

/** True when these figures will not change any more and can be seen. */
export function areFinal(results: Results | null): boolean {
  return results?.is_finalized === true && !areHidden(results);
}

/** True when the session shows no counts (yet) to this viewer. */
export function areHidden(results: Results): boolean {
  return results.options.some((option) => option.vote_count === null);
}

/** The options in front, all of them when they share the lead; none before the first vote. */
export function leading(results: Results): readonly OptionResult[] {
  const most = Math.max(0, ...results.options.map((option) => option.vote_count ?? 0));
  return most === 0 ? [] : results.options.filter((option) => option.vote_count === most);
}
