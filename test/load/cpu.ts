import { readdir, readFile } from 'node:fs/promises';
import type { StackFile } from '../../local/stack-file.ts';

/** Microseconds of CPU used so far: name of the process → sum over its places. */
export type CpuUse = ReadonlyMap<string, number>;

/**
 * Linux counts the CPU time of a process in hundredths of a second (USER_HZ), whatever the kernel.
 */
const tickUs = 10_000;

/**
 * Reads what each process of the stack has used since it began. Postgres works in children of the
 * process that is listed, so children count with their parent. A process that is gone counts 0.
 */
export async function readCpu(services: StackFile['services']): Promise<CpuUse> {
  const processes = await readProcesses();
  const use = new Map<string, number>();
  for (const [name, places] of Object.entries(services)) {
    const pids = new Set(places.map(({ pid }) => pid));
    let ticks = 0;
    for (const { pid, parent, ownTicks, goneChildrenTicks } of processes) {
      if (pids.has(pid)) ticks += ownTicks + goneChildrenTicks;
      else if (pids.has(parent)) ticks += ownTicks;
    }
    use.set(name, ticks * tickUs);
  }
  return use;
}

/** Microseconds a vote for each process, one decimal; 0 without votes. */
export function cpuPerVote(before: CpuUse, after: CpuUse, votes: number): Record<string, number> {
  const perVote: Record<string, number> = {};
  for (const [name, useUs] of after) {
    const usedUs = useUs - (before.get(name) ?? 0);
    // A restarted process counts from 0 again: what the one before it used is not known.
    const us = votes === 0 ? 0 : (usedUs < 0 ? useUs : usedUs) / votes;
    perVote[name] = Math.round(us * 10) / 10;
  }
  return perVote;
}

interface ProcessTimes {
  readonly pid: number;
  readonly parent: number;
  readonly ownTicks: number;
  readonly goneChildrenTicks: number;
}

async function readProcesses(): Promise<ProcessTimes[]> {
  const pids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name));
  const read = pids.map(async (pid) => {
    const text = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => '');
    return parseStat(text);
  });
  return (await Promise.all(read)).filter((times) => times !== undefined);
}

/** One line of /proc/PID/stat (proc(5)); undefined when it is none. The name may hold anything. */
export function parseStat(text: string): ProcessTimes | undefined {
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
  // From field 3 (state) on: 4 is the parent, 14 to 17 are utime, stime, cutime, cstime.
  const [parent, utime, stime, cutime, cstime] = [4, 14, 15, 16, 17].map((n) => +fields[n - 3]!);
  const pid = Number.parseInt(text, 10);
  if (![pid, parent, utime, stime, cutime, cstime].every(Number.isFinite)) return undefined;
  return {
    pid,
    parent: parent!,
    ownTicks: utime! + stime!,
    goneChildrenTicks: cutime! + cstime!,
  };
}
