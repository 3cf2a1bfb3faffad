import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { anyFreePorts } from '../../../local/free-ports.ts';

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
    const ground = new Ground(folder, await anyFreePorts(portsMax));
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
