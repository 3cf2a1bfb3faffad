// kill -9 of one process after the other under load: does the stack heal by itself, and do the
// books still balance? node test/faults/kill.ts [--only ledger,kafka] [--rate 200]

import { parseArgs } from 'node:util';
import { type Healing, killUnderLoad, victims } from './kill-under-load.ts';

const acceptingMsMax = 15_000;
const lagMsMax = 60_000;

async function main(): Promise<number> {
  const { values } = parseArgs({
    options: {
      only: { type: 'string', default: victims.join(',') },
      rate: { type: 'string', default: '200' },
    },
  });
  const rate = Number(values.rate);
  if (!(rate >= 1 && rate <= 10_000)) throw new Error('--rate must be 1 to 10000');
  const chosen = values.only.split(',');
  const unknown = chosen.find((name) => !victims.some((victim) => victim === name));
  if (unknown !== undefined) throw new Error(`--only: no ${unknown}, but ${victims.join(', ')}`);
  const lines: string[] = [];
  let failed = 0;
  for (const victim of chosen) {
    const healing = await killUnderLoad(victim, rate, (line) => console.error(line));
    if (!isHealed(healing)) failed += 1;
    lines.push(tableLine(healing), ...failures(healing));
    console.error(lines.join('\n'));
  }
  console.log('  killed      accepting again   lag 0 after   accepted  refused  unknown   balance');
  console.log(lines.join('\n'));
  console.log(`${chosen.length - failed} passed, ${failed} failed`);
  return failed === 0 ? 0 : 1;
}

function isHealed(healing: Healing): boolean {
  return (
    healing.isReplaced &&
    healing.acceptingAgainMs < acceptingMsMax &&
    healing.lagGoneMs < lagMsMax &&
    healing.checks.every(({ ok }) => ok)
  );
}

function tableLine(healing: Healing): string {
  const seconds = (ms: number): string => `${(ms / 1000).toFixed(1)} s`;
  const { victim, acceptingAgainMs, lagGoneMs, gauge, checks } = healing;
  const balance = checks.find(({ name }) => name === 'balance');
  return (
    `  ${victim.padEnd(12)}${seconds(acceptingAgainMs).padStart(15)}` +
    `${seconds(lagGoneMs).padStart(14)}${String(gauge.accepted).padStart(11)}` +
    `${String(gauge.refused).padStart(9)}${String(gauge.unknown).padStart(9)}` +
    `   ${balance?.ok ? 'exact' : 'OFF'}${isHealed(healing) ? '' : '   FAILED'}`
  );
}

function failures(healing: Healing): string[] {
  const errors = [...healing.gauge.errors].map(([code, count]) => `${count} ${code}`).join(', ');
  return [
    ...(errors === '' ? [] : [`              errors meanwhile: ${errors}`]),
    ...(healing.isReplaced ? [] : ['              the process was not replaced']),
    ...healing.checks.filter(({ ok }) => !ok).map(({ text }) => `              ${text}`),
  ];
}

try {
  process.exitCode = await main();
} catch (error) {
  console.error(error instanceof Error ? error.message : String(error));
  process.exitCode = 1;
}
