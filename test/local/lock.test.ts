import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { lockHolder, releaseLock, takeLock } from '../../local/lock.ts';

let folder: string;
let path: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'vote-lock-'));
  path = join(folder, 'up.lock');
});
afterEach(() => rmSync(folder, { recursive: true }));

test('one holder at a time, who is told by pid', () => {
  expect(lockHolder(path)).toBeUndefined();
  expect(takeLock(path)).toBeUndefined();
  expect(takeLock(path)).toBe(process.pid);
  releaseLock(path);
  expect(lockHolder(path)).toBeUndefined();
});

test('the lock of a holder that was killed is taken over', async () => {
  const other = spawn('sleep', ['60']);
  const holder = { pid: other.pid, startTicks: 'x' };
  writeFileSync(path, JSON.stringify(holder));
  // The pid lives, but it is not the process that took the lock.
  expect(lockHolder(path)).toBeUndefined();
  other.kill('SIGKILL');
  await once(other, 'exit');
  expect(takeLock(path)).toBeUndefined();
  expect(lockHolder(path)).toBe(process.pid);
});

test('a lock file that holds half a sentence is taken over', () => {
  writeFileSync(path, '{"pid":');
  expect(takeLock(path)).toBeUndefined();
});
