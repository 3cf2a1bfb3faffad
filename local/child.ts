import { type ChildProcess, spawn } from 'node:child_process';
import { setTimeout as delay } from 'node:timers/promises';
import type { ProcessSpec } from './process-spec.ts';
import { root } from './tools.ts';

/**
 * Starts a process of the stack in a session of its own (a Ctrl-C in the terminal reaches only the
 * supervisor, which ends things in order), with the kernel's promise that it gets its death
 * signal when the supervisor dies, even by kill -9. setpriv and unshare replace themselves by the
 * command, so the pid is the command's own.
 */
export function startChild(spec: ProcessSpec): ChildProcess {
  const signal = spec.deathSignal.replace('SIG', '');
  const child = spawn('setpriv', ['--pdeathsig', signal, '--', ...spec.command], {
    cwd: root,
    env: { PATH: process.env['PATH'] ?? '/usr/bin:/bin', ...spec.env },
    stdio: ['ignore', 'pipe', 'pipe'],
    detached: true,
  });
  // It has no pid then, which is how the callers tell.
  child.on('error', () => {});
  return child;
}

/** Resolves when the process is gone; at once if it already is. */
export async function gone(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  await new Promise<void>((resolve) => {
    child.once('exit', () => resolve());
    child.once('error', () => resolve());
  });
}

/**
 * Asks a process to end and waits; after `limitMs` it is killed together with all it started.
 * Resolves to whether it ended by itself.
 */
export async function stopChild(
  child: ChildProcess,
  signal: NodeJS.Signals,
  limitMs: number,
): Promise<boolean> {
  if (child.pid === undefined) return true;
  const end = gone(child);
  child.kill(signal);
  const timer = new AbortController();
  const timeUp = delay(limitMs, 'late', { signal: timer.signal }).catch(() => 'in time');
  const isLate = (await Promise.race([end, timeUp])) === 'late';
  timer.abort();
  // The session's leader may be gone while helpers of it are not.
  killGroup(child.pid);
  await end;
  return !isLate;
}

function killGroup(pid: number): void {
  try {
    process.kill(-pid, 'SIGKILL');
  } catch {
    // ESRCH: nobody is left in the group.
  }
}

const POLL_MS = 25;

/** Tries every 25 ms until it succeeds. Resolves to false when time is up or the signal fires. */
export async function waitUntil(
  isDone: () => Promise<boolean>,
  limitMs: number,
  signal?: AbortSignal,
): Promise<boolean> {
  const deadline = performance.now() + limitMs;
  for (;;) {
    if (await isDone()) return true;
    if (performance.now() > deadline || signal?.aborted === true) return false;
    await delay(POLL_MS);
  }
}
