import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Admin, Producer } from '@platformatic/kafka';
import { Client } from 'pg';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { waitUntil } from '../../local/child.ts';
import { anyFreePorts } from '../../local/free-ports.ts';
import type { ProcessNode } from '../../local/graph.ts';
import { kafkaSpec } from '../../local/kafka/kafka.ts';
import { postgresSpec } from '../../local/postgres.ts';
import type { ProcessSpec } from '../../local/process-spec.ts';
import { redisSpec } from '../../local/redis.ts';
import { Supervisor } from '../../local/supervisor.ts';
import { createTerminal } from '../../local/terminal.ts';
import { findTools } from '../../local/tools.ts';

const healedMsMax = 15_000;
let folder: string;
let kafka = 0;
let postgres = 0;
let supervisor: Supervisor;

function store(name: 'kafka' | 'postgres' | 'redis', spec: ProcessSpec): ProcessNode {
  const rest = { region: undefined, url: '', ports: [], dependsOn: [], uses: [], log: name };
  return { kind: 'process', id: name, name, spec, ...rest };
}

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'vote-healing-'));
  const [first = 0, controllerPort = 0, second = 0, redis = 0] = await anyFreePorts(4);
  kafka = first;
  postgres = second;
  const tools = findTools();
  const place = (name: string): string => join(folder, name);
  supervisor = new Supervisor(
    [
      store(
        'kafka',
        kafkaSpec(tools, { dataDir: place('kafka'), port: kafka, controllerPort, heapMb: 384 }),
      ),
      // As in `npm start`: with fsync, so that a kill is what it is there.
      store('postgres', postgresSpec(tools, { dataDir: place('postgres'), port: postgres })),
      store('redis', redisSpec(tools, { dataDir: place('redis'), port: redis })),
    ],
    {
      terminal: createTerminal(() => {}),
      logFolder: place('log'),
      onRestart: () => {},
      release: async () => {},
    },
  );
  await supervisor.start();
});

afterAll(async () => {
  await supervisor.stop();
  await rm(folder, { recursive: true });
});

function pidOf(name: string): number | undefined {
  return supervisor.processes.find(({ node }) => node.name === name)?.pid;
}

/** Kills a store without warning and says whether it did its work again in time. */
async function healsFromKill(name: string, works: () => Promise<boolean>): Promise<boolean> {
  const pid = pidOf(name) ?? 0;
  process.kill(pid, 'SIGKILL');
  await waitUntil(async () => pidOf(name) !== pid, 1_000);
  return waitUntil(works, healedMsMax);
}

async function sql(text: string): Promise<unknown[]> {
  const client = new Client({ host: '127.0.0.1', port: postgres, user: 'postgres' });
  // The server is killed under it: the query says so.
  client.on('error', () => {});
  await client.connect();
  try {
    return (await client.query<Record<string, unknown>>(text)).rows;
  } finally {
    await client.end().catch(() => {});
  }
}

test('Postgres heals from a kill -9 with a query under way, and keeps what was committed', async () => {
  await sql('create table kept as select generate_series(1, 1000) as n');
  const cutOff = sql('select pg_sleep(60)').then(
    () => 'answered',
    () => 'cut off',
  );
  const works = (): Promise<boolean> =>
    sql('select 1').then(
      () => true,
      () => false,
    );
  expect(await healsFromKill('postgres', works)).toBe(true);
  expect(await cutOff).toBe('cut off');
  expect(await sql('select count(*)::int as n from kept')).toEqual([{ n: 1000 }]);
});

test('Redis heals from a kill -9 with empty hands', async () => {
  const redis = supervisor.processes.find(({ node }) => node.name === 'redis')?.node;
  expect(await healsFromKill('redis', redis!.spec.probe)).toBe(true);
});

test('Kafka heals from a kill -9 within 15 s and keeps what was acknowledged', async () => {
  const bootstrapBrokers = [`127.0.0.1:${kafka}`];
  const admin = new Admin({ clientId: 'healing', bootstrapBrokers });
  await admin.createTopics({ topics: ['healing'], partitions: 30, replicas: 1 });
  await admin.close();
  const send = async (): Promise<bigint | undefined> => {
    const producer = new Producer({
      clientId: 'healing',
      bootstrapBrokers,
      retries: 0,
      timeout: 400,
      connectTimeout: 400,
    });
    try {
      const message = { topic: 'healing', partition: 7, value: Buffer.from('vote') };
      const { offsets } = await producer.send({ acks: -1, messages: [message] });
      return offsets?.[0]?.offset;
    } catch {
      return undefined;
    } finally {
      await producer.close().catch(() => {});
    }
  };
  let offset: bigint | undefined;
  const works = async (): Promise<boolean> => {
    offset = await send();
    return offset !== undefined;
  };
  expect(await waitUntil(works, healedMsMax)).toBe(true);
  const before = offset ?? -1n;
  expect(await healsFromKill('kafka', works)).toBe(true);
  // Nothing acknowledged is gone: the next record comes after it.
  expect(offset).toBeGreaterThan(before);
}, 40_000);
