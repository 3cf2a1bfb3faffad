import { type ChildProcess, spawn } from 'node:child_process';
import { mkdirSync, openSync, renameSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { lockHolder } from './lock.ts';
import type { Places } from './places.ts';
import { readStack } from './stack-file.ts';
import { summary } from './summary.ts';
import { root } from './tools.ts';

type Message = { ready: true } | { failed: string };

/**
 * Starts the supervisor in a session of its own, logging to .local/log/up.log, and waits until it
 * says that the stack is ready. Returns the exit code: 0 when ready, 1 when it failed, 130 for
 * Ctrl-C.
 */
export async function detach(places: Places, args: readonly string[]): Promise<number> {
  const foreground = args.filter((arg) => arg !== '--detach');
  // The running one's log must not be moved away under it; it tells why a second cannot start.
  const isRunning = lockHolder(places.lock) !== undefined;
  const log = join(places.log, 'up.log');
  const output = isRunning ? 'ignore' : openLog(places, log);
  const child = spawn(process.execPath, [join(root, 'local/up.ts'), ...foreground], {
    cwd: root,
    detached: true,
    stdio: ['ignore', output, output, 'ipc'],
  });
  const stopChild = (): void => {
    child.kill('SIGTERM');
    process.exitCode = 130;
  };
  process.once('SIGINT', stopChild);
  process.once('SIGTERM', stopChild);
  if (!isRunning) process.stdout.write(`starting in the background; log: ${log}\n`);
  const verdict = await firstWord(child);
  process.off('SIGINT', stopChild);
  process.off('SIGTERM', stopChild);
  if ('failed' in verdict) {
    process.stderr.write(`${verdict.failed}\n`);
    return process.exitCode === 130 ? 130 : 1;
  }
  child.disconnect();
  child.unref();
  const stack = readStack(places.stack);
  if (stack !== undefined) process.stdout.write(summary(stack, places, true));
  return 0;
}

function openLog(places: Places, path: string): number {
  mkdirSync(places.log, { recursive: true });
  if (statSync(path, { throwIfNoEntry: false })) renameSync(path, `${path}.1`);
  rmSync(path, { force: true });
  return openSync(path, 'a');
}

async function firstWord(child: ChildProcess): Promise<Message> {
  return new Promise((resolve) => {
    child.once('message', (message: Message) => resolve(message));
    child.once('error', (error) =>
      resolve({ failed: `It could not be started: ${error.message}` }),
    );
    child.once('exit', (code, signal) => {
      resolve({ failed: `The starter ended (${signal ?? `code ${code}`}) before it was ready.` });
    });
  });
}
