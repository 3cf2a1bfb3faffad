// The fault lab: npm run faults -- [F24 F45 …] [--scale short|full]. One cluster, many scenarios;
// what came of them stands in docs/faults.md.

import { join } from 'node:path';
import { root } from '../../local/tools.ts';
import { Lab, type LabShape } from './lab/lab.ts';
import { parseOptions } from './options.ts';
import { type Outcome, runScenario } from './run.ts';
import type { Scenario } from './scenario.ts';
import { catalogue } from './scenarios/catalogue.ts';
import { outcomeLines, updateTable } from './table.ts';
import { warmUp } from './warm-up.ts';

async function main(): Promise<number> {
  const ids = catalogue.map(({ id }) => id);
  const options = parseOptions(process.argv.slice(2), ids);
  const chosen = catalogue.filter(
    (one): one is Scenario => 'run' in one && options.ids.includes(one.id),
  );
  const startedMs = performance.now();
  const outcomes: Outcome[] = [];
  for (const [shape, scenarios] of byShape(chosen)) {
    const lab = await Lab.create(shape);
    console.error(`lab in ${lab.ground.folder}: ${scenarios.map(({ id }) => id).join(' ')}`);
    try {
      await lab.start();
      await warmUp(lab);
      console.error(`up after ${seconds(startedMs)} s`);
      for (const scenario of scenarios) {
        const outcome = await runScenario(lab, scenario, options.scale);
        outcomes.push(outcome);
        console.log(outcomeLines(outcome).join('\n'));
        const today = new Date().toISOString().slice(0, 10);
        await updateTable(join(root, 'docs/faults.md'), [outcome], catalogue, today);
      }
    } finally {
      await lab.close(options.keep);
    }
  }
  const failed = outcomes.filter(({ findings }) => findings.some(({ ok }) => !ok)).length;
  console.log(`${outcomes.length - failed} passed, ${failed} failed, ${seconds(startedMs)} s`);
  return failed === 0 && outcomes.length === chosen.length ? 0 : 1;
}

/**
 * Scenarios that can share a lab share it: those that need one region go first on a lab of one, so
 * that they are not slowed by a second.
 */
function byShape(scenarios: readonly Scenario[]): [LabShape, readonly Scenario[]][] {
  const shapes = Map.groupBy(scenarios, ({ id, isDestructive, needs = {} }) =>
    JSON.stringify({
      ...(isDestructive === true ? { id } : {}),
      regions: needs.regions ?? 1,
      hasOwnControllers: needs.hasOwnControllers ?? false,
      durability: needs.durability ?? 'region',
    }),
  );
  return [...shapes].map(([shape, list]) => [JSON.parse(shape) as LabShape, list]);
}

function seconds(sinceMs: number): string {
  return ((performance.now() - sinceMs) / 1000).toFixed(0);
}

// A socket that a fault left half open must not keep the command from ending.
try {
  process.exit(await main());
} catch (error) {
  console.error(error);
  process.exit(1);
}
