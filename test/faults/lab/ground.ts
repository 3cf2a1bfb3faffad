import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { HeldPorts } from '../../../local/free-ports.ts';

/** Two regions with everything twice take about 80. */
const portsMax = 120;

/** What everything in a lab stands on: a folder of its own, logs, ports that nobody else has. */
export class Ground {
  readonly folder: string;
  readonly logFolder: string;
  readonly #free: number[];
  readonly #ports = new Map<string, number>();

  private constructor(folder: string, free: number[]) {
    this.folder = folder;
    this.logFolder = join(folder, 'log');
    this.#free = free;
  }

  static async create(): Promise<Ground> {
    const folder = await mkdtemp(join(tmpdir(), 'vote-faults-'));
    const ground = new Ground(folder, await choosePorts());
    await mkdir(ground.logFolder);
    return ground;
  }

  /** The port of a listener, the same at every call. */
  port(name: string): number {
    const known = this.#ports.get(name);
    if (known !== undefined) return known;
    const port = this.#free.pop();
    if (port === undefined) throw new Error(`no port is left for ${name}`);
    this.#ports.set(name, port);
    return port;
  }

  async clear(): Promise<void> {
    await rm(this.folder, { recursive: true, force: true });
  }
}

/** Below those that the kernel gives to outgoing connections, of which a crowd has many. */
async function choosePorts(): Promise<number[]> {
  const held = new HeldPorts();
  const free: number[] = [];
  let port = firstPortMin + Math.floor(Math.random() * spread);
  while (free.length < portsMax) {
    if (await held.hold(port)) free.push(port);
    port += 1;
  }
  await held.releaseAll();
  return free;
}

const firstPortMin = 12_000;
const spread = 18_000;
