import { readdir, readFile, readlink, realpath, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { waitUntil } from './child.ts';

const END_MS_MAX = 10_000;

/**
 * Clears what a killed server left: backends that still hold its shared memory (a new server
 * refuses to start beside them), and a postmaster.pid whose number meanwhile belongs to some other
 * process, which Postgres would take for a live server because all runs under one user here.
 */
export async function clearPostgresRemains(dataDir: string): Promise<void> {
  const remains = await processesIn(dataDir);
  for (const pid of remains) kill(pid);
  if (remains.length > 0) {
    await waitUntil(async () => (await processesIn(dataDir)).length === 0, END_MS_MAX);
  }
  await rm(join(dataDir, 'postmaster.pid'), { force: true });
}

/** Postgres works in its data folder: every process there with that name belongs to this server. */
async function processesIn(dataDir: string): Promise<number[]> {
  const folder = await realpath(dataDir);
  const numbers = (await readdir('/proc')).filter((name) => /^\d+$/.test(name));
  const owned = await Promise.all(numbers.map((number) => isServerProcess(number, folder)));
  return numbers.filter((_, index) => owned[index]).map(Number);
}

async function isServerProcess(number: string, folder: string): Promise<boolean> {
  try {
    const name = await readFile(`/proc/${number}/comm`, 'utf8');
    if (name.trim() !== 'postgres') return false;
    return (await readlink(`/proc/${number}/cwd`)) === folder;
  } catch {
    // It ended while we looked, or is another user's.
    return false;
  }
}

function kill(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // It ended while we looked.
  }
}
