import { Coverage } from './coverage.ts';
import type { FlawName } from './flaws.ts';
import { runSeed } from './run.ts';

/** The seeds that one thread runs. */
export interface Share {
  readonly first: number;
  readonly last: number;
  readonly step: number;
  /** Ends at the first run in which something is wrong. */
  readonly untilWrong: boolean;
  /** What a store does wrong, for a planted bug. */
  readonly flaw: FlawName | undefined;
}

export interface ShareResult {
  readonly runs: number;
  readonly steps: number;
  readonly failures: readonly {
    readonly seed: number;
    readonly wrong: readonly string[];
    readonly faults: readonly string[];
  }[];
  readonly coverage: [string, number][];
}

/** Runs them one after the other. */
export async function runShare(share: Share): Promise<ShareResult> {
  const { first, last, step, untilWrong, flaw } = share;
  const coverage = new Coverage();
  const failures: { seed: number; wrong: readonly string[]; faults: readonly string[] }[] = [];
  let [runs, steps] = [0, 0];
  for (let seed = first; seed <= last; seed += step) {
    const run = await runSeed(seed, { coverage, flaw });
    runs++;
    steps += run.steps;
    if (run.wrong.length === 0) continue;
    failures.push({ seed, wrong: run.wrong, faults: run.faults });
    if (untilWrong) break;
  }
  return { runs, steps, failures, coverage: coverage.entries() };
}
