import { spawnSync } from 'node:child_process';

/** `npm run check`: what a machine can say of the code without running it, all of it each time. */
const checks: readonly [name: string, command: readonly string[]][] = [
  ['types', ['node_modules/.bin/tsc', '--noEmit']],
  ['types of the page', ['node_modules/.bin/tsc', '--noEmit', '-p', 'voter-web']],
  ['lint', ['node_modules/.bin/oxlint', '--type-aware', '--deny-warnings']],
  ['format', ['node_modules/.bin/biome', 'check', '--error-on-warnings']],
  ['unused files and exports', ['node_modules/.bin/knip', '--no-progress']],
];

const failed: string[] = [];
for (const [name, [command, ...args]] of checks) {
  const startedMs = performance.now();
  const { status } = spawnSync(command!, args, { stdio: 'inherit' });
  if (status !== 0) failed.push(name);
  const seconds = ((performance.now() - startedMs) / 1000).toFixed(1);
  console.log(`${status === 0 ? 'ok    ' : 'FAILED'} ${name} (${seconds} s)`);
}
if (failed.length > 0) console.log(`failed: ${failed.join(', ')}`);
process.exit(failed.length === 0 ? 0 : 1);
