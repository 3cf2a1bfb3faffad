import type { ChildProcess } from 'node:child_process';
import { createWriteStream, readdirSync, readFileSync } from 'node:fs';
import { gone, startChild, stopChild, waitUntil } from '../../../local/child.ts';
import type { ProcessSpec } from '../../../local/process-spec.ts';

const readyMsMax = 90_000;
const endMsMax = 25_000;

/**
 * A process that the lab may kill, stop, start again and start differently. Nothing brings it back
 * by itself: a scenario says when, as it says everything.
 */
export class Victim {
  readonly id: string;
  readonly #spec: ProcessSpec;
  readonly #logPath: string;
  #child: ChildProcess | undefined;
  #isStopped = false;
  #changes: Readonly<Record<string, string>> = {};

  constructor(id: string, spec: ProcessSpec, logFolder: string) {
    this.id = id;
    this.#spec = spec;
    this.#logPath = `${logFolder}/${id}.log`;
  }

  get pid(): number {
    if (!this.isUp) throw new Error(`${this.id} is not running`);
    return this.#child!.pid!;
  }

  get isUp(): boolean {
    const child = this.#child;
    return child?.pid !== undefined && child.exitCode === null && child.signalCode === null;
  }

  /** True when it does not run as it would by itself: down, stopped, or started differently. */
  get isHurt(): boolean {
    return !this.isUp || this.#isStopped || Object.keys(this.#changes).length > 0;
  }

  /** Starts it, with these values in its environment changed; it may not be ready yet. */
  async spawn(changes: Readonly<Record<string, string>> = {}): Promise<void> {
    if (this.isUp) return;
    await this.#spec.prepare();
    this.#changes = changes;
    this.#isStopped = false;
    const child = startChild({
      ...this.#spec,
      env: { ...this.#spec.env, ...changes },
      // A stopped process takes no other signal, and nothing here is worth keeping.
      deathSignal: 'SIGKILL',
    });
    const log = createWriteStream(this.#logPath, { flags: 'a' });
    child.stdout?.pipe(log, { end: false });
    child.stderr?.pipe(log, { end: false });
    child.once('close', () => log.end());
    this.#child = child;
  }

  /** Starts it and resolves once it is ready. Throws when it is not within 90 s. */
  async start(changes: Readonly<Record<string, string>> = {}): Promise<void> {
    await this.spawn(changes);
    await this.ready();
  }

  async ready(msMax = readyMsMax): Promise<void> {
    const isSettled = async (): Promise<boolean> => !this.isUp || (await this.#spec.probe());
    if ((await waitUntil(isSettled, msMax)) && this.isUp) return;
    throw new Error(`${this.id} was not ready within ${msMax} ms; see ${this.#logPath}`);
  }

  /** One try: does it say that it is ready? */
  isReady(): Promise<boolean> {
    return this.#spec.probe();
  }

  /** kill -9, with all it started. Resolves when it is gone. */
  async kill(): Promise<void> {
    if (!this.isUp) return;
    const all = [this.pid, ...childrenOf(this.pid)];
    for (const pid of all) signal(pid, 'SIGKILL');
    await gone(this.#child!);
  }

  /** Stops it where it is (SIGSTOP), with all it started: connections stay, nobody answers. */
  pause(): void {
    this.#isStopped = true;
    for (const pid of [this.pid, ...childrenOf(this.pid)]) signal(pid, 'SIGSTOP');
  }

  resume(): void {
    this.#isStopped = false;
    if (!this.isUp) return;
    for (const pid of [this.pid, ...childrenOf(this.pid)]) signal(pid, 'SIGCONT');
  }

  /** Asks it to end and waits; gives whether it ended by itself within 25 s. */
  async end(): Promise<boolean> {
    if (!this.isUp) return true;
    this.resume();
    return stopChild(this.#child!, this.#spec.stopSignal, endMsMax);
  }

  /** As it was at the start: running, not stopped, started without changes. */
  async heal(): Promise<void> {
    if (this.#isStopped) this.resume();
    if (Object.keys(this.#changes).length > 0) await this.end();
    await this.start();
  }

  /** Its log from a place in it on; for what only a log line tells. */
  logText(): string {
    return readFileSync(this.#logPath, 'utf8');
  }
}

function childrenOf(pid: number): number[] {
  try {
    return readdirSync(`/proc/${pid}/task`)
      .flatMap((task) => readFileSync(`/proc/${pid}/task/${task}/children`, 'utf8').split(' '))
      .filter((text) => text !== '')
      .map(Number);
  } catch {
    // It ended while we looked.
    return [];
  }
}

function signal(pid: number, name: NodeJS.Signals): void {
  try {
    process.kill(pid, name);
  } catch {
    // It ended while we looked.
  }
}
