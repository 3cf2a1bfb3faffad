import { parentPort, workerData } from 'node:worker_threads';
import { Coverage } from './coverage.ts';
import { runSeed } from './run.ts';

/** The seeds that one thread runs. */
export interface Share {
  readonly first: number;
  readonly last: number;
  readonly step: number;
  /** Ends at the first run in which something is wrong. */
  readonly untilWrong: boolean;
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

// Refusals are made by the thousand, and nobody reads where.
Error.stackTraceLimit = 0;

const { first, last, step, untilWrong } = workerData as Share;
const coverage = new Coverage();
const failures: { seed: number; wrong: readonly string[]; faults: readonly string[] }[] = [];
let [runs, steps] = [0, 0];
for (let seed = first; seed <= last; seed += step) {
  const run = await runSeed(seed, { coverage });
  runs++;
  steps += run.steps;
  if (run.wrong.length === 0) continue;
  failures.push({ seed, wrong: run.wrong, faults: run.faults });
  if (untilWrong) break;
}
// oxlint-disable-next-line unicorn/require-post-message-target-origin -- a port has none
parentPort!.postMessage({ runs, steps, failures, coverage: coverage.entries() });
