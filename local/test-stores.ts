import type { ChildProcess } from 'node:child_process';
import { createWriteStream } from 'node:fs';
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startChild, stopChild, waitUntil } from './child.ts';
import { anyFreePorts } from './free-ports.ts';
import { kafkaSpec } from './kafka/kafka.ts';
import { postgresSpec } from './postgres.ts';
import type { ProcessSpec } from './process-spec.ts';
import { redisSpec } from './redis.ts';
import { findTools } from './tools.ts';

export interface TestStores {
  /** `host:port` of the one broker. */
  readonly kafka: string;
  /** Superuser's URL of the database `postgres`; tests make their own databases. */
  readonly postgres: string;
  /** URL of database 0. */
  readonly redis: string;
  stop(): Promise<void>;
}

const READY_MS_MAX = 120_000;
const STOP_MS_MAX = 10_000;

/**
 * Starts an empty Kafka, Postgres and Redis on free ports in a folder of their own under /tmp, with
 * settings that trade safety for speed. Throws, with everything ended again, when one does not come
 * up within two minutes; its output is in the error.
 */
export async function startTestStores(): Promise<TestStores> {
  const tools = findTools();
  const folder = await mkdtemp(join(tmpdir(), 'vote-stores-'));
  const [kafka = 0, controllerPort = 0, postgres = 0, redis = 0] = await anyFreePorts(4);
  const stop = await startAll(folder, {
    kafka: kafkaSpec(tools, {
      dataDir: join(folder, 'kafka'),
      port: kafka,
      controllerPort,
      heapMb: 384,
    }),
    postgres: postgresSpec(tools, {
      dataDir: join(folder, 'postgres'),
      port: postgres,
      isThrowaway: true,
    }),
    redis: redisSpec(tools, { dataDir: join(folder, 'redis'), port: redis }),
  });
  return {
    kafka: `127.0.0.1:${kafka}`,
    postgres: postgresUrl(postgres),
    redis: `redis://127.0.0.1:${redis}/0`,
    stop,
  };
}

/** An empty Postgres 15 by itself: the oldest version that the ledger is held to. */
export async function startTestPostgres15(): Promise<Pick<TestStores, 'postgres' | 'stop'>> {
  const tools = findTools();
  if (tools.postgres15 === undefined) {
    throw new Error('Postgres 15 is not installed: run `node local/setup.mjs --for-tests` first.');
  }
  const folder = await mkdtemp(join(tmpdir(), 'vote-stores-'));
  const [port = 0] = await anyFreePorts(1);
  const place = { dataDir: join(folder, 'postgres'), port, isThrowaway: true };
  const stop = await startAll(folder, {
    postgres: postgresSpec({ ...tools, postgres: tools.postgres15 }, place),
  });
  return { postgres: postgresUrl(port), stop };
}

function postgresUrl(port: number): string {
  return `postgres://postgres@127.0.0.1:${port}/postgres`;
}

/** Starts all of them, or none. What it gives ends them and removes the folder. */
async function startAll(
  folder: string,
  specs: Record<string, ProcessSpec>,
): Promise<() => Promise<void>> {
  const running: [ChildProcess, ProcessSpec][] = [];
  const stop = async (): Promise<void> => {
    await Promise.all(
      running.map(([child, spec]) => stopChild(child, spec.stopSignal, STOP_MS_MAX)),
    );
    await rm(folder, { recursive: true, force: true });
  };
  const starts = Object.entries(specs).map(async ([name, spec]) => {
    await spec.prepare();
    const child = startLogged(spec, join(folder, 'log'), name);
    running.push([await child, spec]);
    if (!(await waitUntil(spec.probe, READY_MS_MAX))) {
      throw new Error(`${name} was not ready within ${READY_MS_MAX} ms`);
    }
  });
  const failed = (await Promise.allSettled(starts)).find(({ status }) => status === 'rejected');
  if (failed?.status === 'rejected') {
    await stop();
    throw failed.reason;
  }
  return stop;
}

async function startLogged(spec: ProcessSpec, folder: string, name: string): Promise<ChildProcess> {
  await mkdir(folder, { recursive: true });
  const child = startChild(spec);
  const log = createWriteStream(join(folder, `${name}.log`));
  child.stdout?.pipe(log, { end: false });
  child.stderr?.pipe(log, { end: false });
  return child;
}
