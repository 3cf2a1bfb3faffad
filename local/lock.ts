import { readFileSync, rmSync, writeFileSync } from 'node:fs';

/** Who runs the stack. A pid alone may meanwhile be another program's: the start time tells. */
interface Holder {
  readonly pid: number;
  readonly startTicks: string;
}

/**
 * Takes the stack for this process, so that there is one supervisor a checkout.
 * Returns the pid of the process that has it already, or undefined when it is ours now.
 */
export function takeLock(path: string): number | undefined {
  for (;;) {
    const mine: Holder = { pid: process.pid, startTicks: startTicks(process.pid) ?? '' };
    try {
      writeFileSync(path, JSON.stringify(mine), { flag: 'wx' });
      return undefined;
    } catch (error) {
      if (!(error instanceof Error && 'code' in error && error.code === 'EEXIST')) throw error;
    }
    const holder = lockHolder(path);
    if (holder !== undefined) return holder;
    // Its holder is gone without a word (kill -9, power).
    rmSync(path, { force: true });
  }
}

/** The pid of the living process that has the stack, or undefined. */
export function lockHolder(path: string): number | undefined {
  try {
    const { pid, startTicks: ticks }: Holder = JSON.parse(readFileSync(path, 'utf8'));
    return startTicks(pid) === ticks ? pid : undefined;
  } catch {
    return undefined;
  }
}

/** Does nothing when another process has the stack, or none. */
export function releaseLock(path: string): void {
  if (lockHolder(path) === process.pid) rmSync(path, { force: true });
}

/** Field 22 of /proc/PID/stat: clock ticks from boot to the start of the process. */
function startTicks(pid: number): string | undefined {
  try {
    // The name in brackets may hold spaces; the fields are counted from behind it.
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    // A zombie has ended; only its parent has not noticed.
    return fields[0] === 'Z' ? undefined : fields[19];
  } catch {
    return undefined;
  }
}
