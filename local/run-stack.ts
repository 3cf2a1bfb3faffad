import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { startCrowd } from './crowd.ts';
import { ensureDemo } from './demo.ts';
import type { Facts } from './env.ts';
import { HeldPorts } from './free-ports.ts';
import { releaseLock, takeLock } from './lock.ts';
import type { Options } from './options.ts';
import type { Places } from './places.ts';
import { prepareStack } from './stack.ts';
import {
  addressesOf,
  describeStack,
  dropStack,
  readStack,
  type StackFile,
  writeStack,
} from './stack-file.ts';
import { Supervisor } from './supervisor.ts';
import type { Terminal } from './terminal.ts';

/** The start was broken off by a signal: nothing went wrong. */
export class Stopped extends Error {}

export interface StackRun {
  readonly options: Options;
  readonly places: Places;
  readonly terminal: Terminal;
  /** Fires when the stack is to end in order. */
  readonly stop: AbortSignal;
  /** Fires when it is to end at once. */
  readonly kill: AbortSignal;
  readonly onReady: (stack: StackFile) => void;
}

/**
 * Runs the stack from here to its end: starts everything, tells when it is ready, keeps it alive,
 * and drains it when `stop` fires. Whatever happens, nothing is left running.
 *
 * @throws Stopped when it was broken off before it was ready
 * @throws Error with one clear sentence when it cannot be started
 */
export async function runStack(run: StackRun): Promise<void> {
  const { places, terminal } = run;
  await mkdir(places.local, { recursive: true });
  const holder = takeLock(places.lock);
  if (holder !== undefined) throw new Error(alreadyRuns(holder, places));
  const held = new HeldPorts();
  try {
    dropStack(places.stack);
    const { facts, nodes } = await prepareStack(run.options, places, terminal, held);
    const pids = new PidKeeper(places.stack);
    const supervisor = new Supervisor(nodes, {
      terminal,
      logFolder: places.log,
      onRestart: () => pids.changed(),
      release: (ports) => held.release(ports),
    });
    run.kill.addEventListener('abort', () => supervisor.kill());
    try {
      await superviseUntilStop(run, facts, supervisor, pids);
    } finally {
      pids.stop();
      await supervisor.stop();
    }
  } finally {
    await held.releaseAll();
    dropStack(places.stack);
    releaseLock(places.lock);
    terminal.say('ended; nothing is left running');
  }
}

async function superviseUntilStop(
  run: StackRun,
  facts: Facts,
  supervisor: Supervisor,
  pids: PidKeeper,
): Promise<void> {
  const { places, stop, terminal } = run;
  const start = async (): Promise<StackFile> => {
    await supervisor.start();
    const memory = join(places.data, 'demo.json');
    const demo = await ensureDemo(addressesOf(facts), facts.secrets, memory);
    const describe = (): StackFile => describeStack(facts, supervisor.processes, demo);
    await pids.begin(describe);
    return describe();
  };
  const stopped = fired(stop);
  const outcome = await Promise.race([start(), stopped]).catch((error: unknown) => {
    // What breaks while everything is being ended is no news.
    if (stop.aborted) return undefined;
    throw error;
  });
  if (outcome === undefined) throw new Stopped('The start was broken off.');
  const crowd = run.options.demo ? await startCrowd(places, terminal) : undefined;
  run.onReady(outcome);
  await stopped;
  terminal.say('draining and ending everything ...');
  await crowd?.stop();
}

/** Keeps stack.json true while processes are restarted under new pids; one write at a time. */
class PidKeeper {
  readonly #path: string;
  #describe: (() => StackFile) | undefined;
  #writing: Promise<void> = Promise.resolve();

  constructor(path: string) {
    this.#path = path;
  }

  async begin(describe: () => StackFile): Promise<void> {
    this.#describe = describe;
    await writeStack(this.#path, describe());
  }

  changed(): void {
    this.#writing = this.#writing
      .then(async () => {
        if (this.#describe !== undefined) await writeStack(this.#path, this.#describe());
        return undefined;
      })
      // A full disk: the file tells an old pid, which is no reason to end the stack.
      .catch(() => {});
  }

  stop(): void {
    this.#describe = undefined;
  }
}

/** Resolves when the signal fires. */
async function fired(signal: AbortSignal): Promise<undefined> {
  if (signal.aborted) return;
  await new Promise<void>((resolve) => {
    signal.addEventListener('abort', () => resolve(), { once: true });
  });
}

function alreadyRuns(pid: number, places: Places): string {
  const stack = readStack(places.stack);
  const where = stack
    ? `voters at ${stack.edge}, the portal at ${stack.portal}, mail at ${stack.mailbox}`
    : 'not ready yet';
  return `The stack runs already (pid ${pid}; ${where}). End it with: npm stop`;
}
