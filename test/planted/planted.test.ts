import { spawnSync } from 'node:child_process';
import { expect, test } from 'vitest';

test('each planted bug is found', { timeout: 180_000 }, () => {
  const main = new URL('./main.ts', import.meta.url).pathname;
  const { status, stdout, stderr } = spawnSync(process.execPath, [main, '--seeds', '500'], {
    encoding: 'utf8',
  });
  expect(stderr).toBe('');
  expect(stdout).not.toContain('MISSED');
  expect(stdout).toMatch(/(\d+) of \1 planted bugs caught/);
  expect(status).toBe(0);
});
