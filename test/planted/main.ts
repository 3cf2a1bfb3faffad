import { spawn } from 'node:child_process';
import { parseArgs } from 'node:util';
import { type Bug, bugs } from './bugs.ts';

/**
 * `npm run planted [-- --seeds N]`: each planted bug must be found, by the simulator within so many
 * seeds or by the check that belongs to it; and nothing may be found without a bug. Ends with 1
 * when one is missed, or when the text that a patch changes is not there any more.
 */
const { values } = parseArgs({ options: { seeds: { type: 'string', default: '2000' } } });

interface Found {
  readonly bug: Bug;
  readonly isCaught: boolean;
  readonly how: string;
}

const waiting = [...bugs];
const found: Found[] = [];
// One for each of the two cores that a test machine has.
await Promise.all([work(), work()]);
for (const { bug, isCaught, how } of found) {
  console.log(`${isCaught ? 'caught' : 'MISSED'}  ${bug.name.padEnd(38)} ${how}`);
}
const caught = found.filter(({ isCaught }) => isCaught).length;
console.log(`${caught} of ${bugs.length} planted bugs caught`);
const sound = await run([new URL('./exact-numbers.ts', import.meta.url).pathname], '');
if (sound.status !== 0) console.log(`found without a bug: ${sound.said}`);
process.exitCode = caught === bugs.length && sound.status === 0 ? 0 : 1;

async function work(): Promise<void> {
  for (let bug = waiting.shift(); bug !== undefined; bug = waiting.shift()) {
    found.push(await plant(bug));
  }
}

async function plant(bug: Bug): Promise<Found> {
  const program = new URL(
    bug.by === 'exact-numbers' ? './exact-numbers.ts' : '../simulate/main.ts',
    import.meta.url,
  ).pathname;
  const search = ['--workers', '1', '--until-wrong', '--seeds', values.seeds];
  const flaw = bug.flaw === undefined ? [] : ['--flaw', bug.flaw];
  const { status, said } = await run([program, ...(bug.by ? [] : [...search, ...flaw])], bug.name);
  const seeds = /(\d+) runs/.exec(said)?.[1];
  const first = /^ {2}(I\d+: .*|broken: .*)$/m.exec(said)?.[1] ?? said.trim().split('\n').at(-1)!;
  const isCaught = status === 1 && !said.includes('0 failures');
  return { bug, isCaught, how: `${seeds === undefined ? '' : `${seeds} seeds, `}${first}` };
}

function run(args: readonly string[], name: string): Promise<{ status: number; said: string }> {
  const hooks = new URL('./hooks.ts', import.meta.url).href;
  const child = spawn(process.execPath, ['--import', hooks, ...args], {
    env: { ...process.env, PLANTED: name },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let said = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text: string) => {
      said += text;
    });
  }
  return new Promise((resolve) => {
    child.once('close', (status) => resolve({ status: status ?? 2, said }));
  });
}
