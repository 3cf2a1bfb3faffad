import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll } from 'vitest';
import { startChild, stopChild, waitUntil } from '../../local/child.ts';
import { anyFreePorts } from '../../local/free-ports.ts';
import { kafkaSpec } from '../../local/kafka/kafka.ts';
import { findTools } from '../../local/tools.ts';

/** A Kafka for one file, which may be taken away: the run's own broker belongs to all files. */
export interface OwnBroker {
  /** `host:port` */
  readonly address: string;
  /** Stops its process where it is: connections stay open and nobody answers, as when cut off. */
  pause(): void;
  resume(): void;
  /** Kills it, does this to what it had on its disk, and starts it again. */
  restart(meanwhile: (logFolder: string) => Promise<void>): Promise<void>;
}

const readyMsMax = 45_000;
const stopMsMax = 5000;

/**
 * Starts an empty broker on free ports; it ends after the file's last test. Call it before
 * `createTestTopics`, whose topics are deleted while it is still there. Throws when it is not ready
 * within 45 s.
 */
export async function startOwnBroker(): Promise<OwnBroker> {
  const folder = await mkdtemp(join(tmpdir(), 'vote-broker-'));
  const [port = 0, controllerPort = 0] = await anyFreePorts(2);
  const spec = kafkaSpec(findTools(), { dataDir: folder, port, controllerPort, heapMb: 256 });
  await spec.prepare();
  // A paused process takes no other signal: it would stay behind if the run were killed.
  const start = async (): Promise<ReturnType<typeof startChild>> => {
    const started = startChild({ ...spec, deathSignal: 'SIGKILL' });
    started.stdout?.resume();
    started.stderr?.resume();
    if (await waitUntil(spec.probe, readyMsMax)) return started;
    await stopChild(started, 'SIGKILL', stopMsMax);
    throw new Error(`the broker was not ready within ${readyMsMax} ms`);
  };
  let child: ReturnType<typeof startChild> | undefined;
  afterAll(async () => {
    if (child !== undefined) await stopChild(child, 'SIGKILL', stopMsMax);
    await rm(folder, { recursive: true, force: true });
  });
  child = await start();
  return {
    address: `127.0.0.1:${port}`,
    pause: () => void child?.kill('SIGSTOP'),
    resume: () => void child?.kill('SIGCONT'),
    restart: async (meanwhile) => {
      if (child !== undefined) await stopChild(child, 'SIGKILL', stopMsMax);
      await meanwhile(join(folder, 'log'));
      child = await start();
    },
  };
}
