import { expect, test } from 'vitest';
import { buildGraph, type ProcessNode, type Stack } from '../../local/graph.ts';
import { placesIn } from '../../local/places.ts';
import { loadKeys, serviceKinds } from '../../local/services.ts';

/** The real services' keys, made-up ports, one or two regions. */
async function graphOf(regions: string[]): Promise<ReturnType<typeof buildGraph>> {
  const ports = new Map<string, number>();
  const port = (listener: string): number => {
    const known = ports.get(listener) ?? 9_000 + ports.size;
    ports.set(listener, known);
    return known;
  };
  const services = await Promise.all(
    serviceKinds.map(async (kind) => {
      const keys = await loadKeys(kind);
      const where = kind.scope === 'region' ? regions : [undefined];
      return where.map((region) => ({ kind, region, keys }));
    }),
  );
  const receiptKeys = Object.fromEntries(regions.map((region) => [region, '/receipt']));
  const nobody = { email: '', password: '' };
  const stack: Stack = {
    tools: {
      node: 'node',
      java: 'java',
      kafkaLib: '',
      kafkaArchive: '',
      redisServer: '',
      postgres: '',
    },
    places: placesIn('/nowhere'),
    facts: {
      regions,
      port,
      durability: 'single',
      secrets: { files: {}, receiptKeys, sealKeys: {}, admin: nobody, second: nobody },
    },
    services: services.flat(),
    caller: Object.fromEntries(
      services
        .flat()
        .flatMap(({ keys }) => keys.required.filter((key) => key.endsWith('_FILE')))
        .map((key) => [key, '/secret']),
    ),
  };
  return buildGraph(stack);
}

const processes = (graph: ReturnType<typeof buildGraph>): ProcessNode[] =>
  graph.filter((node) => node.kind === 'process');

test('two regions have a Kafka, a Redis and every regional service each, and one of the rest', async () => {
  const names = processes(await graphOf(['us-east-1', 'us-west-2'])).map(({ name }) => name);
  const count = (name: string): number => names.filter((other) => other === name).length;
  for (const name of ['kafka', 'redis', 'intake', 'ledger', 'results', 'records', 'identity']) {
    expect(count(name), name).toBe(2);
  }
  for (const name of ['postgres', 'portal', 'mailbox', 'edge']) expect(count(name), name).toBe(1);
});

test('a service waits for the stores it is given an address of, in its own region', async () => {
  const graph = await graphOf(['us-east-1', 'us-west-2']);
  const wants = (id: string): readonly string[] =>
    graph.find((node) => node.id === id)?.dependsOn ?? [];
  expect(wants('ledger(us-west-2)').toSorted()).toEqual([
    'kafka(us-west-2)',
    'postgres',
    'schema',
    'topics(us-west-2)',
  ]);
  expect(wants('intake(us-west-2)')).not.toContain('postgres');
  expect(wants('mailbox')).toEqual([]);
});

test('no two processes are given the same port, and each address is on this machine', async () => {
  const nodes = processes(await graphOf(['us-east-1', 'us-west-2']));
  const ports = nodes.flatMap((node) => node.ports);
  expect(new Set(ports).size).toBe(ports.length);
  for (const { url, id } of nodes) expect(url, id).toMatch(/(?:^|@|\/\/)127\.0\.0\.1:\d+/);
});

test('the edge ends first: what it has passed on is answered', async () => {
  const edge = processes(await graphOf(['us-east-1'])).find(({ name }) => name === 'edge');
  expect(edge?.dependsOn).toEqual([]);
  expect(edge?.uses).toContain('intake(us-east-1)');
  expect(edge?.uses).toContain('portal');
});
