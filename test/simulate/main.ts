import { parseArgs } from 'node:util';
import { Worker } from 'node:worker_threads';
import { Coverage, coverageTable } from './coverage.ts';
import { cutPoints } from './cut-points.ts';
import { type FlawName, isFlawName } from './flaws.ts';
import type { Share, ShareResult } from './share.ts';

/**
 * `npm run simulate -- --seeds 10000 [--first N] [--workers N]`: so many runs, each from its own
 * seed; ends with 1 when one of them breaks an invariant or an await was never hit by a fault.
 * `--seed N` runs one and prints what happened in it. `--until-wrong` and `--flaw NAME` are for
 * planted bugs.
 */
const { values } = parseArgs({
  options: {
    seeds: { type: 'string', default: '10000' },
    first: { type: 'string', default: '1' },
    seed: { type: 'string' },
    workers: { type: 'string', default: '2' },
    'until-wrong': { type: 'boolean', default: false },
    flaw: { type: 'string' },
  },
});
/** Fewer runs do not come to every cell of the table. */
const coveringSeeds = 5000;

process.exitCode = values.seed === undefined ? await runMany() : await replay(Number(values.seed));

function flaw(): FlawName | undefined {
  if (values.flaw === undefined || isFlawName(values.flaw)) return values.flaw;
  throw new Error(`no store has the flaw ${values.flaw}`);
}

async function replay(seed: number): Promise<number> {
  const { runSeed } = await import('./run.ts');
  const run = await runSeed(seed, { keepTrace: true, flaw: flaw() });
  const again = await runSeed(seed, { flaw: flaw() });
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
    flaw: flaw(),
  }));
  const results = await Promise.all(workers === 1 ? [runHere(shares[0]!)] : shares.map(runApart));
  const coverage = new Coverage();
  for (const result of results) coverage.add(result.coverage);
  const { text, missed } = coverageTable(coverage, cutPoints);
  if (!values['until-wrong']) console.log(text);
  const failures = results.flatMap((result) => result.failures);
  tellFailures(failures.toSorted((a, b) => a.seed - b.seed));
  const sum = (of: 'runs' | 'steps'): number => results.reduce((all, next) => all + next[of], 0);
  const seconds = ((performance.now() - startedMs) / 1000).toFixed(1);
  const what = `${sum('runs')} runs, ${sum('steps')} steps, ${failures.length} failures`;
  console.log(`${what} in ${seconds} s`);
  const isMissed = missed.length > 0 && seeds! >= coveringSeeds;
  if (isMissed) console.log(`never hit: ${missed.join('; ')}`);
  return failures.length > 0 || isMissed ? 1 : 0;
}

function tellFailures(failures: ShareResult['failures']): void {
  for (const { seed, wrong, faults } of failures.slice(0, 10)) {
    console.log(`\nseed ${seed} (${faults.join(', ')}):`);
    for (const line of wrong.slice(0, 8)) console.log(`  ${line}`);
  }
}

async function runHere(share: Share): Promise<ShareResult> {
  Error.stackTraceLimit = 0;
  const { runShare } = await import('./share.ts');
  return runShare(share);
}

function runApart(share: Share): Promise<ShareResult> {
  return new Promise((resolve, reject) => {
    const worker = new Worker(new URL('./thread.ts', import.meta.url), { workerData: share });
    worker.once('message', resolve);
    worker.once('error', reject);
  });
}
