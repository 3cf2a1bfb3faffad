import type { ChildProcess } from 'node:child_process';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { BackOff } from './back-off.ts';
import { gone, startChild, stopChild, waitUntil } from './child.ts';
import type { ProcessNode } from './graph.ts';
import { listensOn } from './listener-owner.ts';
import { eachLine, LogFile } from './log-file.ts';
import { forHumans } from './log-line.ts';
import type { Terminal } from './terminal.ts';

/** A second or ten as a rule; a machine that is ten times overloaded needs a minute. */
const READY_MS_MAX = 120_000;
const DRAIN_MS_MAX = 20_000;
/** A process that fails its first start this often is not going to come up. */
const FIRST_STARTS_MAX = 3;
/** A service ends with this when its configuration is not usable: trying again is of no use. */
const EXIT_UNUSABLE_CONFIG = 2;
const LAST_WORDS_MS = 50;

export interface Hooks {
  readonly terminal: Terminal;
  readonly logFolder: string;
  /** A process runs under a new pid. */
  readonly onRestart: () => void;
  /** Frees the ports held for a process that is about to start. */
  readonly release: (ports: readonly number[]) => Promise<void>;
}

/**
 * Keeps one process of the stack alive. It is `starting` until its probe succeeds for the first
 * time (a failure then fails the start of the stack), `kept` afterwards (every death is followed by
 * a restart, with back-off), `stopping` from `stop()` on.
 */
export class Keeper {
  readonly node: ProcessNode;
  readonly #terminal: Terminal;
  readonly #log: LogFile;
  readonly #backOff = new BackOff();
  readonly #stopping = new AbortController();
  readonly #hooks: Hooks;
  #child: ChildProcess | undefined;
  #startedAt = 0;
  #keeping: Promise<void> = Promise.resolve();

  constructor(node: ProcessNode, hooks: Hooks) {
    this.node = node;
    this.#terminal = hooks.terminal;
    this.#hooks = hooks;
    const fileName = node.region === undefined ? node.name : `${node.name}.${node.region}`;
    this.#log = new LogFile(join(hooks.logFolder, `${fileName}.log`));
  }

  /** Undefined while it is down. */
  get pid(): number | undefined {
    const isUp = this.#child?.exitCode === null && this.#child.signalCode === null;
    return isUp ? this.#child?.pid : undefined;
  }

  /**
   * Resolves when it is ready for the first time. Throws with the end of its log when it is not.
   */
  async start(): Promise<void> {
    const starting = this.#start();
    this.#keeping = starting.catch(() => {});
    await starting;
    this.#keeping = this.#keep();
  }

  async #start(): Promise<void> {
    for (let attempt = 1; ; attempt += 1) {
      const child = await this.#spawn();
      if (await this.#becomesReady(child)) break;
      if (this.#stopping.signal.aborted) return;
      const how = hasEnded(child) ? ending(child) : `was not ready within ${READY_MS_MAX / 1000} s`;
      const isHopeless = attempt === FIRST_STARTS_MAX || child.exitCode === EXIT_UNUSABLE_CONFIG;
      if (isHopeless || !hasEnded(child)) throw await this.#failure(how);
      const waitMs = this.#backOff.next(0);
      this.#terminal.say(`${this.node.id} ${how} while starting; trying again in ${waitMs} ms`);
      await this.#pause(waitMs);
    }
  }

  /** Drains the process, kills it after 20 s; no restart follows. */
  async stop(): Promise<void> {
    this.#stopping.abort();
    await this.#end();
    // A start or restart that was under way may have brought up one more.
    await this.#keeping;
    await this.#end();
    await this.#log.close();
  }

  async #end(): Promise<void> {
    if (this.#child === undefined || hasEnded(this.#child)) return;
    if (await stopChild(this.#child, this.node.spec.stopSignal, DRAIN_MS_MAX)) return;
    this.#terminal.say(
      `${this.node.id} did not end within ${DRAIN_MS_MAX / 1000} s and was killed`,
    );
  }

  /** Ends it without a drain: for the human who presses Ctrl-C again. */
  kill(): void {
    this.#stopping.abort();
    this.#child?.kill('SIGKILL');
  }

  async #spawn(): Promise<ChildProcess> {
    await this.node.spec.prepare();
    await this.#hooks.release(this.node.ports);
    const child = startChild(this.node.spec);
    const take = (line: string): void => {
      this.#log.write(line);
      const shown = forHumans(line, this.node.log);
      if (shown !== undefined) this.#terminal.line(this.node.id, shown);
    };
    eachLine(child.stdout, take);
    eachLine(child.stderr, take);
    this.#child = child;
    this.#startedAt = performance.now();
    return child;
  }

  /** False when it ended, when its time is over, or when the stack is being stopped. */
  async #becomesReady(child: ChildProcess): Promise<boolean> {
    const { probe } = this.node.spec;
    let isReady = false;
    const isSettled = async (): Promise<boolean> => {
      isReady = (await probe()) && (await listensOn(child.pid ?? 0, this.node.ports));
      return isReady || hasEnded(child);
    };
    await waitUntil(isSettled, READY_MS_MAX, this.#stopping.signal);
    return isReady && !hasEnded(child);
  }

  async #keep(): Promise<void> {
    while (!this.#stopping.signal.aborted) {
      const child = this.#child;
      if (child === undefined) return;
      await gone(child);
      if (this.#stopping.signal.aborted) return;
      const diedAt = performance.now();
      const waitMs = this.#backOff.next(diedAt - this.#startedAt);
      this.#terminal.say(`${this.node.id} ${ending(child)}; restarting in ${waitMs} ms`);
      await this.#pause(waitMs);
      await this.#restart(diedAt);
    }
  }

  async #restart(diedAt: number): Promise<void> {
    if (this.#stopping.signal.aborted) return;
    try {
      const child = await this.#spawn();
      this.#hooks.onRestart();
      if (await this.#becomesReady(child)) {
        const seconds = ((performance.now() - diedAt) / 1000).toFixed(1);
        this.#terminal.say(`${this.node.id} is ready again, ${seconds} s after its end`);
      } else if (!hasEnded(child) && !this.#stopping.signal.aborted) {
        this.#terminal.say(
          `${this.node.id} runs again but is still not ready; see ${this.#log.path}`,
        );
      }
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      this.#terminal.say(`${this.node.id} cannot be restarted: ${reason}`);
    }
  }

  async #pause(waitMs: number): Promise<void> {
    await delay(waitMs, undefined, { signal: this.#stopping.signal }).catch(() => {});
  }

  async #failure(how: string): Promise<Error> {
    // The exit is known before its last words have been read.
    await delay(LAST_WORDS_MS);
    const lines = this.#log.tail.map((line) => `  ${line}`).join('\n');
    return new Error(`${this.node.id} ${how}. Its last lines (${this.#log.path}):\n${lines}`);
  }
}

function hasEnded(child: ChildProcess): boolean {
  return child.exitCode !== null || child.signalCode !== null || child.pid === undefined;
}

function ending(child: ChildProcess): string {
  if (child.signalCode !== null) return `was ended by ${child.signalCode}`;
  return child.pid === undefined ? 'could not be started' : `ended with code ${child.exitCode}`;
}
