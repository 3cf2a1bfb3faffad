import type { StandbyChoice } from '../../regional-core/intake/standby-log.ts';
import type { Random } from './random.ts';

/** One choice sent from one page. */
export interface PlannedPage {
  readonly voter: number;
  readonly page: number;
  readonly optionNo: number;
  readonly startMs: number;
  readonly regions: readonly string[];
  readonly address: string;
  readonly isDouble: boolean;
}

export interface PlannedStranger {
  readonly atMs: number;
  readonly region: string;
  /** The code that it must be refused with. */
  readonly wrong: 'invalid_token' | 'invalid_ballot' | 'unknown_option';
}

/** The people of a run and its times, all true time since its beginning. */
export interface Plan {
  readonly voters: number;
  readonly closesMs: number;
  /** From here on nothing breaks any more. */
  readonly healedMs: number;
  readonly pages: readonly PlannedPage[];
  /** Requests that are refused whatever happens. */
  readonly strangers: readonly PlannedStranger[];
  readonly optionIds: readonly string[];
  /** What becomes of a vote that cannot be copied; undefined where votes stay in one region. */
  readonly standby: StandbyChoice | undefined;
}

export const regionNames = ['us-east-1', 'us-west-2'] as const;

// Not in the order of their numbers: the rule compares ids.
const optionIds = ['mango', 'apple', 'zebra', 'kiwi'];

export function makePlan(random: Random): Plan {
  const closesMs = random.whole(4000, 6000);
  const voters = random.whole(20, 28);
  const pages: PlannedPage[] = [];
  for (let voter = 0; voter < voters; voter++) {
    const first = pageOf(random, voter, pages.length, closesMs);
    const isDouble = random.chance(0.35);
    pages.push({ ...first, isDouble });
    const more = isDouble ? random.whole(1, 2) : 0;
    for (let extra = 0; extra < more; extra++) {
      const again = pageOf(random, voter, pages.length, closesMs);
      const apart = random.chance(0.5) ? random.whole(-20, 20) : random.whole(-1500, 1500);
      const startMs = Math.max(50, first.startMs + apart);
      pages.push({ ...again, startMs, isDouble });
    }
  }
  return {
    voters,
    closesMs,
    pages,
    optionIds,
    standby: random.pick([undefined, 'refuse', 'accept'] as const),
    healedMs: closesMs + random.whole(6000, 8500),
    strangers: Array.from({ length: 4 }, () => ({
      atMs: random.whole(100, closesMs - 200),
      region: random.pick(regionNames),
      wrong: random.pick(['invalid_token', 'invalid_ballot', 'unknown_option'] as const),
    })),
  };
}

function pageOf(random: Random, voter: number, page: number, closesMs: number): PlannedPage {
  // Half of them come in the last second: what is in flight at closing decides most.
  const startMs = random.chance(0.5)
    ? random.whole(80, closesMs - 1000)
    : random.whole(closesMs - 1000, closesMs + 60);
  const regions = random.chance(0.5) ? [...regionNames] : regionNames.toReversed();
  const optionNo = random.whole(0, optionIds.length - 1);
  const address = `192.0.2.${random.whole(1, 4)}`;
  return { voter, page, optionNo, startMs, regions, address, isDouble: false };
}
