import type { ChildProcess } from 'node:child_process';
import { cp, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Client } from 'pg';
import { afterAll } from 'vitest';
import { startChild, stopChild, waitUntil } from '../../local/child.ts';
import { anyFreePorts } from '../../local/free-ports.ts';
import { postgresSpec } from '../../local/postgres.ts';
import type { ProcessSpec } from '../../local/process-spec.ts';
import { findTools } from '../../local/tools.ts';
import { migrate } from '../../regional-core/schema/migrate.ts';

/** A writer and a copy that follows it by streaming replication, on this machine. */
export interface ReplicatedPostgres {
  /** URL of the database `vote` on the writer, with the newest schema, for a role. */
  url(role: string): string;
  /** The copy takes in what the writer sends, and does not show it. */
  pauseReplay(): Promise<void>;
  resumeReplay(): Promise<void>;
  /** Ends the writer as kill -9 does. */
  killWriter(): Promise<void>;
}

const readyMsMax = 45_000;
const stopMsMax = 10_000;

/**
 * Starts both; they end after the file's last test. The copy is a cold one: the writer is stopped,
 * its folder copied, and `standby.signal` says what the copy is.
 */
export async function startReplicatedPostgres(): Promise<ReplicatedPostgres> {
  const folder = await mkdtemp(join(tmpdir(), 'vote-replica-'));
  const [port = 0, replicaPort = 0] = await anyFreePorts(2);
  const tools = findTools();
  const place = (name: string) => join(folder, name);
  const writerSpec = postgresSpec(tools, { dataDir: place('writer'), port, isThrowaway: true });
  const replicaSpec = postgresSpec(tools, {
    dataDir: place('replica'),
    port: replicaPort,
    isThrowaway: true,
  });
  const running = new Map<ProcessSpec, ChildProcess>();
  const start = async (spec: ProcessSpec): Promise<void> => {
    await spec.prepare();
    const child = startChild(spec);
    running.set(spec, child);
    child.stdout?.resume();
    child.stderr?.resume();
    if (!(await waitUntil(spec.probe, readyMsMax))) throw new Error('postgres was not ready');
  };
  const stop = async (spec: ProcessSpec, signal: NodeJS.Signals): Promise<void> => {
    const child = running.get(spec);
    if (child !== undefined) await stopChild(child, signal, stopMsMax);
    running.delete(spec);
  };
  afterAll(async () => {
    await Promise.all([writerSpec, replicaSpec].map((spec) => stop(spec, 'SIGINT')));
    await rm(folder, { recursive: true, force: true });
  });

  const urlOf = (ofPort: number, role: string, database: string): string =>
    `postgres://${role}@127.0.0.1:${ofPort}/${database}`;
  await start(writerSpec);
  await run(urlOf(port, 'postgres', 'postgres'), 'CREATE DATABASE vote');
  await migrate(urlOf(port, 'postgres', 'vote'));
  await stop(writerSpec, 'SIGINT');
  await cp(place('writer'), place('replica'), { recursive: true });
  await writeFile(join(place('replica'), 'standby.signal'), '');
  await writeFile(
    join(place('replica'), 'postgresql.auto.conf'),
    `primary_conninfo = 'host=127.0.0.1 port=${port} user=postgres'\n`,
  );
  await start(writerSpec);
  await start(replicaSpec);
  const onReplica = (statement: string): Promise<unknown[]> =>
    run(urlOf(replicaPort, 'postgres', 'postgres'), statement);
  const streams = async (): Promise<boolean> => {
    const rows = await run(
      urlOf(port, 'postgres', 'postgres'),
      `SELECT FROM pg_stat_replication WHERE state = 'streaming'`,
    );
    return rows.length === 1;
  };
  if (!(await waitUntil(streams, readyMsMax))) throw new Error('the copy does not follow');
  return {
    url: (role) => urlOf(port, role, 'vote'),
    pauseReplay: async () => void (await onReplica('SELECT pg_wal_replay_pause()')),
    resumeReplay: async () => void (await onReplica('SELECT pg_wal_replay_resume()')),
    killWriter: () => stop(writerSpec, 'SIGKILL'),
  };
}

async function run(url: string, statement: string): Promise<unknown[]> {
  const client = new Client({ connectionString: url });
  await client.connect();
  try {
    return (await client.query(statement)).rows;
  } finally {
    await client.end();
  }
}
