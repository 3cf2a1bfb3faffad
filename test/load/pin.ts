import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import type { StackFile } from '../../local/stack-file.ts';

/**
 * Gives the crowd a core of its own and the stack all others, so that neither slows the other, for
 * as long as `work` takes. Does nothing on a machine with one core.
 */
export async function onItsOwnCore<T>(
  services: StackFile['services'],
  cores: number,
  work: () => Promise<T>,
): Promise<T> {
  if (cores < 2) return work();
  const stack = Object.values(services).flatMap((places) => places.map(({ pid }) => pid));
  const family = [...stack, ...childrenOf(new Set(stack))];
  const last = cores - 1;
  pin([process.pid], `${last}`);
  pin(family, last === 1 ? '0' : `0-${last - 1}`);
  try {
    return await work();
  } finally {
    pin([process.pid, ...family], `0-${last}`);
  }
}

/** All threads of each process; one that is gone by now is left out. */
function pin(pids: readonly number[], cores: string): void {
  for (const pid of pids) {
    try {
      execFileSync('taskset', ['-a', '-c', '-p', cores, String(pid)], { stdio: 'ignore' });
    } catch {
      // It ended between being listed and being pinned: a backend of Postgres, for one.
    }
  }
}

/** Postgres works in children of the process that is listed; new ones inherit its cores. */
function childrenOf(parents: ReadonlySet<number>): number[] {
  return [...parents].flatMap((parent) => {
    try {
      return readdirSync(`/proc/${parent}/task`).flatMap((task) => readChildren(parent, task));
    } catch {
      return [];
    }
  });
}

function readChildren(pid: number, task: string): number[] {
  const text = readFileSync(`/proc/${pid}/task/${task}/children`, 'utf8');
  return text.split(' ').filter(Boolean).map(Number);
}
