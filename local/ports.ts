import { readFile } from 'node:fs/promises';
import { z } from 'zod';
import { writeWhole } from './write-whole.ts';

export interface PortWish {
  /** What listens there, such as `edge` or `intake(us-east-1)`. */
  readonly name: string;
  readonly preferred?: number;
}

export interface PortPlan {
  readonly ports: ReadonlyMap<string, number>;
  /** One sentence for each wish that got another port than before or than preferred. */
  readonly notices: readonly string[];
}

const FIRST = 9_100;
const LAST = 65_535;
const remembered = z.record(z.string(), z.int().min(1).max(LAST));

/**
 * Gives every wish a port of its own: the one it had last time, else the preferred one, else the
 * next free one (from 9100 up for those without a preference).
 *
 * @param take takes a port if it is free; called once for each port that is given out
 * @throws Error when nothing is free any more
 */
export async function planPorts(
  wishes: readonly PortWish[],
  before: Readonly<Record<string, number>>,
  take: (port: number) => Promise<boolean>,
): Promise<PortPlan> {
  const ports = new Map<string, number>();
  const notices: string[] = [];
  const reserved = new Set(wishes.map(({ name, preferred }) => before[name] ?? preferred));
  let next = FIRST;
  for (const { name, preferred } of wishes) {
    const wanted = before[name] ?? preferred;
    const isOurs = wanted !== undefined && ![...ports.values()].includes(wanted);
    if (isOurs && (await take(wanted))) {
      ports.set(name, wanted);
      continue;
    }
    let port = Math.max(wanted === undefined ? next : wanted + 1, 1_024);
    while (port <= LAST && (reserved.has(port) || !(await take(port)))) port += 1;
    if (port > LAST) throw new Error(`No free port is left for ${name}.`);
    reserved.add(port);
    if (wanted === undefined) next = port + 1;
    else notices.push(`port ${wanted} of ${name} is taken by another program: using ${port}`);
    ports.set(name, port);
  }
  return { ports, notices };
}

/** The ports of the last run; none when there was none or the file is not readable as such. */
export async function readPorts(path: string): Promise<Record<string, number>> {
  try {
    return remembered.parse(JSON.parse(await readFile(path, 'utf8')));
  } catch {
    return {};
  }
}

/** Remembers this run's ports beside those of nodes that did not run this time. */
export async function savePorts(
  path: string,
  before: Readonly<Record<string, number>>,
  plan: PortPlan,
): Promise<void> {
  const all = { ...before, ...Object.fromEntries(plan.ports) };
  await writeWhole(path, `${JSON.stringify(all, null, 2)}\n`);
}
