import type { RecordPlace } from './sql/read-quarantined.ts';
import type { CountedRow } from './sql/read-rows.ts';
import type { SurveyedLog, Winner } from './survey-logs.ts';

const listedMax = 20;

/** What differs between two sources, as sentences; the first 20 are kept. */
export class Differences {
  readonly #kept: string[] = [];
  #found = 0;

  add(sentence: string): void {
    this.#found++;
    if (this.#kept.length < listedMax) this.#kept.push(sentence);
  }

  listed(): string[] {
    const more = this.#found - this.#kept.length;
    return more === 0 ? this.#kept : [...this.#kept, `and ${more} more`];
  }
}

/** Holds a row that counts against the votes of the logs. A vote is named, its choice is not. */
export function compareRow(
  row: CountedRow,
  winners: ReadonlyMap<string, Winner>,
  differences: Differences,
): void {
  const found = winners.get(row.vote_id);
  if (found === undefined) {
    differences.add(`vote ${row.vote_id} is counted, and no log holds it`);
    return;
  }
  found.isMet = true;
  if (found.optionNo !== row.option_no) {
    differences.add(`vote ${row.vote_id} is counted with another option than its first record's`);
  } else if (found.acceptedAtMs !== row.accepted_at_ms) {
    differences.add(`vote ${row.vote_id} is counted with another time than its first record's`);
  }
}

/** The ledger must have gone by the first valid seal of each partition. */
export function compareSeals(
  surveyed: readonly SurveyedLog[],
  known: readonly RecordPlace[],
  differences: Differences,
): void {
  for (const { log, seals } of surveyed) {
    for (const [partition, found] of seals.entries()) {
      const held = known.find(
        (seal) => seal.region_no === log.region_no && seal.partition === partition,
      );
      // The ledger may not have read as far yet.
      if (held === undefined || held.offset === found) continue;
      differences.add(
        `${log.log}, partition ${partition}: the ledger went by the seal at ${held.offset}, ` +
          `the log's first valid one is ${found === undefined ? 'nowhere' : `at ${found}`}`,
      );
    }
  }
}

interface Totals {
  readonly counts: readonly number[];
  readonly digest?: string;
}

/**
 * Counts per option of every two sources, and their digests. Sources that were not asked for are
 * left out.
 */
export function compareTotals(
  sources: Readonly<Record<string, Totals | undefined>>,
  optionIds: readonly string[],
  differences: Differences,
): void {
  const given = Object.entries(sources).flatMap(([name, totals]) =>
    totals === undefined ? [] : [{ name, ...totals }],
  );
  for (const [one, other] of pairs(given)) {
    for (const [no, votes] of one.counts.entries()) {
      if (votes === other.counts[no]) continue;
      differences.add(
        `${optionIds[no]}: ${one.name} ${votes}, ${other.name} ${other.counts[no] ?? 'nothing'}`,
      );
    }
  }
  for (const [one, other] of pairs(given.filter(({ digest }) => digest !== undefined))) {
    if (one.digest === other.digest) continue;
    differences.add(`the digests of ${one.name} and ${other.name} differ`);
  }
}

/** Neighbours: of many that should be equal, some two are not where any differ. */
function pairs<T>(list: readonly T[]): (readonly [T, T])[] {
  return list.slice(1).map((other, at) => [list[at]!, other] as const);
}
