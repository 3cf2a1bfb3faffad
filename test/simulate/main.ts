import { parseArgs } from 'node:util';
import { Worker } from 'node:worker_threads';
import { Coverage, coverageTable } from './coverage.ts';
import { cutPoints } from './cut-points.ts';
import { runSeed } from './run.ts';
import type { Share, ShareResult } from './share.ts';

/**
 * `npm run simulate -- --seeds 10000 [--first N] [--workers N]`: so many runs, each from its own
 * seed; ends with 1 when one of them breaks an invariant or an await was never hit by a fault.
 * `--seed N` runs one and prints what happened in it.
 */
const { values } = parseArgs({
  options: {
    seeds: { type: 'string', default: '10000' },
    first: { type: 'string', default: '1' },
    seed: { type: 'string' },
    workers: { type: 'string', default: '2' },
    'until-wrong': { type: 'boolean', default: false },
  },
});

process.exitCode = values.seed === undefined ? await runMany() : await replay(Number(values.seed));

async function replay(seed: number): Promise<number> {
  const run = await runSeed(seed, { keepTrace: true });
  const again = await runSeed(seed);
  for (const line of run.trace ?? []) console.log(line);
  console.log(`seed ${seed}, ${run.steps} steps, trace ${run.hash}: ${run.faults.join(', ')}`);
  if (again.hash !== run.hash) console.log(`not the same again: ${again.hash}`);
  for (const line of run.wrong) console.log(`WRONG ${line}`);
  return run.wrong.length === 0 && again.hash === run.hash ? 0 : 1;
}

async function runMany(): Promise<number> {
  const startedMs = performance.now();
  const [seeds, first, workers] = [values.seeds, values.first, values.workers].map(Number);
  const shares = Array.from({ length: workers! }, (_, at) => ({
    first: first! + at,
    last: first! + seeds! - 1,
    step: workers!,
    untilWrong: values['until-wrong'],
  }));
  const results = await Promise.all(shares.map(runShare));
  const coverage = new Coverage();
  for (const result of results) coverage.add(result.coverage);
  const failures = results.flatMap((result) => result.failures).toSorted((a, b) => a.seed - b.seed);
  const sum = (of: 'runs' | 'steps'): number => results.reduce((all, next) => all + next[of], 0);
  const seconds = ((performance.now() - startedMs) / 1000).toFixed(1);
  const { text, missed } = coverageTable(coverage, cutPoints);
  console.log(text);
  for (const { seed, wrong, faults } of failures.slice(0, 10)) {
    console.log(`\nseed ${seed} (${faults.join(', ')}):`);
    for (const line of wrong.slice(0, 8)) console.log(`  ${line}`);
  }
  const [runs, steps] = [sum('runs'), sum('steps')];
  console.log(`${runs} runs, ${steps} steps, ${failures.length} failures in ${seconds} s`);
  if (failures.length > 0) {
    console.log(
      `first failure: --seed ${failures[0]!.seed} (run ${failures[0]!.seed - first! + 1})`,
    );
  }
  if (missed.length > 0 && seeds! >= 1000) console.log(`never hit: ${missed.join('; ')}`);
  return failures.length > 0 || (missed.length > 0 && seeds! >= 1000) ? 1 : 0;
}

function runShare(share: Share): Promise<ShareResult> {
  return new Promise((resolve, reject) => {
    const worker = new Worker(new URL('./share.ts', import.meta.url), { workerData: share });
    worker.once('message', resolve);
    worker.once('error', reject);
  });
}
