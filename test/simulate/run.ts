import { checkRun } from './check.ts';
import type { Coverage } from './coverage.ts';
import { planCuts } from './cut-points.ts';
import { breakThings } from './faults.ts';
import type { FlawName } from './flaws.ts';
import { letPeopleFinalise } from './people.ts';
import { Random } from './random.ts';
import { World } from './world.ts';

export interface RunResult {
  readonly seed: number;
  /** What does not hold; none when all is well. */
  readonly wrong: readonly string[];
  readonly faults: readonly string[];
  readonly steps: number;
  /** The same for the same seed. */
  readonly hash: string;
  readonly trace: readonly string[] | undefined;
}

/** Time to catch up after the last fault, before it counts as never. */
const healMs = 60_000;
const stepsMax = 60_000;

/** One run from its seed: the world, what breaks in it, and what is found at its end. */
export async function runSeed(
  seed: number,
  options: { coverage?: Coverage; keepTrace?: boolean; flaw?: FlawName | undefined } = {},
): Promise<RunResult> {
  const world = new World(seed, options);
  const random = new Random(seed ^ 0x5eed);
  letPeopleFinalise(world);
  world.network.planned = planCuts(random, 4);
  const faults = breakThings(world, random);
  const { timeline, network, plan } = world;
  timeline.after(plan.healedMs, () => {
    network.planned = [];
    network.storms = [];
  });
  const wrong: string[] = [];
  try {
    const endMs = plan.healedMs + healMs;
    await timeline.run(() => world.isDone() || timeline.nowMs > endMs, stepsMax);
    wrong.push(...checkRun(world));
  } catch (error) {
    wrong.push(`broken: ${error instanceof Error ? error.stack : String(error)}`);
  }
  const { steps } = timeline;
  const { hash, lines } = world.trace;
  return { seed, wrong, faults, steps, hash, trace: lines };
}
