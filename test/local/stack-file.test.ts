import { mkdtemp, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import type { Facts } from '../../local/env.ts';
import type { ProcessNode } from '../../local/graph.ts';
import { describeStack, dropStack, readStack, writeStack } from '../../local/stack-file.ts';

const ports: Record<string, number> = {
  edge: 8080,
  'edge/portal': 8081,
  mailbox: 8025,
  postgres: 9101,
  'kafka(us-east-1)': 9102,
  'redis(us-east-1)': 9103,
  'kafka(us-west-2)': 9104,
  'redis(us-west-2)': 9105,
};
const nobody = { email: '', password: '' };
const facts: Facts = {
  regions: ['us-east-1', 'us-west-2'],
  port: (listener) => ports[listener] ?? 0,
  durability: 'single',
  secrets: { files: {}, receiptKeys: {}, sealKeys: {}, admin: nobody, second: nobody },
};
const demo = {
  session_id: 's',
  admin: { email: 'a', password: 'p' },
  second: { email: 'b', password: 'q' },
};

function running(
  name: string,
  region: string | undefined,
  pid: number | undefined,
): { node: ProcessNode; pid: number | undefined } {
  const node = { name, region, url: `http://127.0.0.1/${name}` } as ProcessNode;
  return { node, pid };
}

test('the stack is told with every address, region and pid', () => {
  const processes = [
    running('postgres', undefined, 1),
    running('intake', 'us-east-1', 2),
    running('intake', 'us-west-2', 3),
    running('ledger', 'us-east-1', undefined),
  ];
  expect(describeStack(facts, processes, demo)).toEqual({
    edge: 'http://localhost:8080',
    portal: 'http://localhost:8081',
    mailbox: 'http://localhost:8025',
    postgres: 'postgres://postgres@127.0.0.1:9101/vote',
    kafka: '127.0.0.1:9102',
    redis: 'redis://127.0.0.1:9103/0',
    regions: [
      {
        name: 'us-east-1',
        url: 'http://localhost:8080/r/us-east-1',
        kafka: '127.0.0.1:9102',
        redis: 'redis://127.0.0.1:9103/0',
      },
      {
        name: 'us-west-2',
        url: 'http://localhost:8080/r/us-west-2',
        kafka: '127.0.0.1:9104',
        redis: 'redis://127.0.0.1:9105/0',
      },
    ],
    services: {
      postgres: [{ url: 'http://127.0.0.1/postgres', pid: 1, region: null }],
      intake: [
        { url: 'http://127.0.0.1/intake', pid: 2, region: 'us-east-1' },
        { url: 'http://127.0.0.1/intake', pid: 3, region: 'us-west-2' },
      ],
      ledger: [],
    },
    demo,
    promise: { durability: 'single', kafkaCopies: 1, clockErrorMs: 5 },
  });
});

test('the file is for its owner alone and is gone after the stop', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'vote-stack-'));
  onTestFinished(() => rm(folder, { recursive: true }));
  const path = join(folder, 'stack.json');
  const stack = describeStack(facts, [], demo);
  await writeStack(path, stack);
  expect((await stat(path)).mode & 0o777).toBe(0o600);
  expect(readStack(path)).toEqual(stack);
  dropStack(path);
  expect(readStack(path)).toBeUndefined();
});
