import { spawnSync } from 'node:child_process';
import { expect, test } from 'vitest';

/** The command as a person runs it. */
function run(command: string, ...args: string[]) {
  const { status, stdout, stderr } = spawnSync(
    process.execPath,
    [`local/cli/${command}.ts`, ...args],
    { encoding: 'utf8' },
  );
  return { status, stdout, stderr };
}

test.each([
  ['balance', [], '--session is missing.'],
  ['recount', ['--sessions', 'x'], "Unknown option '--sessions'."],
  ['finalise', ['--session', 'x', '--key', 'k'], '--session must be a UUID, not "x".'],
  ['recover', ['more'], "Unexpected argument 'more'."],
  ['approve', [], 'Say what to do: admin, key, sign, void, restore.'],
])('%s %j is answered with one sentence and the usage', (command, args, sentence) => {
  const { status, stdout, stderr } = run(command, ...args);
  expect({ status, stdout }).toEqual({ status: 1, stdout: '' });
  const [first, second] = stderr.split('\n');
  expect(first).toBe(sentence);
  expect(second).toMatch(new RegExp(`^Usage: npm run (-s )?${command} `));
});
