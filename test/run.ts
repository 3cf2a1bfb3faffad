import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/**
 * `npm test`: builds nothing, starts what the tests need, runs them all, and ends with
 * "N passed, N failed". Arguments go to vitest: `npm test -- test/local`.
 *
 * vitest's JSON calls a run with an unhandled rejection a success while vitest exits with 1: the
 * exit status decides, the JSON only counts.
 */
const folder = mkdtempSync(join(tmpdir(), 'vote-test-'));
const report = join(folder, 'report.json');
const vitest = [
  'node_modules/vitest/vitest.mjs',
  'run',
  '--reporter=default',
  '--reporter=json',
  `--outputFile.json=${report}`,
  ...process.argv.slice(2),
];
const { status } = spawnSync(process.execPath, vitest, { stdio: 'inherit' });
const { passed, failed } = countTests();
rmSync(folder, { recursive: true });

const unexplained = status !== 0 && failed === 0 ? 1 : 0;
if (unexplained) console.log('the run failed outside of a test; see above');
console.log(`${passed} passed, ${failed + unexplained} failed`);
process.exit(status === 0 && failed === 0 && passed > 0 ? 0 : 1);

function countTests(): { passed: number; failed: number } {
  try {
    const { numPassedTests, numFailedTests } = JSON.parse(readFileSync(report, 'utf8'));
    return { passed: numPassedTests, failed: numFailedTests };
  } catch {
    return { passed: 0, failed: 0 };
  }
}
