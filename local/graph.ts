import { join } from 'node:path';
import { type Facts, type Placed, placedName, serviceEnv } from './env.ts';
import { kafkaSpec } from './kafka/kafka.ts';
import { createTopics } from './kafka/topics.ts';
import type { LogKind } from './log-line.ts';
import type { Places } from './places.ts';
import { postgresSpec } from './postgres.ts';
import { answersOk } from './probes.ts';
import type { ProcessSpec } from './process-spec.ts';
import { redisSpec } from './redis.ts';
import { createSchema } from './schema.ts';
import type { ServiceKeys } from './services.ts';
import type { Tools } from './tools.ts';

interface NodeBase {
  /** `intake(us-east-1)`: unique, and the prefix of its lines. */
  readonly id: string;
  /** Ids that must be ready before it starts. */
  readonly dependsOn: readonly string[];
}

/** A process that runs as long as the stack does. */
export interface ProcessNode extends NodeBase {
  readonly kind: 'process';
  readonly name: string;
  readonly region: string | undefined;
  /** Its main listener, as stack.json tells it. */
  readonly url: string;
  /** Every port it listens on: held for it until it starts, and by itself once it is ready. */
  readonly ports: readonly number[];
  /** Ids it may call while it drains: they end after it. Those it depends on are meant anyway. */
  readonly uses: readonly string[];
  readonly spec: ProcessSpec;
  readonly log: LogKind;
}

/** Something to be done once at every start, such as creating topics. */
export interface TaskNode extends NodeBase {
  readonly kind: 'task';
  /** The signal fires when the stack is being stopped. */
  readonly run: (signal: AbortSignal) => Promise<void>;
}

export type StackNode = ProcessNode | TaskNode;

export interface PlacedService extends Placed {
  readonly keys: ServiceKeys;
}

export interface Stack {
  readonly tools: Tools;
  readonly places: Places;
  readonly facts: Facts;
  readonly services: readonly PlacedService[];
  /** The environment `npm start` was called with. */
  readonly caller: Readonly<Record<string, string | undefined>>;
}

/** Every process and task of the stack, with what each waits for. */
export function buildGraph(stack: Stack): StackNode[] {
  return [
    ...postgresNodes(stack),
    ...stack.facts.regions.flatMap((region) => regionStores(stack, region)),
    ...stack.services.map((service) => serviceNode(stack, service)),
  ];
}

function postgresNodes({ tools, places, facts }: Stack): StackNode[] {
  const port = facts.port('postgres');
  const url = `postgres://postgres@127.0.0.1:${port}/vote`;
  const spec = postgresSpec(tools, { dataDir: join(places.data, 'postgres'), port });
  return [
    store('postgres', undefined, url, [port], spec),
    { kind: 'task', id: 'schema', dependsOn: ['postgres'], run: () => createSchema(url) },
  ];
}

function regionStores({ tools, places, facts }: Stack, region: string): StackNode[] {
  const kafkaId = placedName('kafka', region);
  const redisId = placedName('redis', region);
  const dataDir = join(places.data, `kafka-${region}`);
  const port = facts.port(kafkaId);
  const controllerPort = facts.port(`${kafkaId}/controller`);
  const kafka = kafkaSpec(tools, {
    dataDir,
    port,
    controllerPort,
    heapMb: 512,
  });
  const redisPort = facts.port(redisId);
  const redis = redisSpec(tools, {
    dataDir: join(places.data, `redis-${region}`),
    port: redisPort,
  });
  const broker = `127.0.0.1:${port}`;
  return [
    store('kafka', region, broker, [port, controllerPort], kafka),
    store('redis', region, `redis://127.0.0.1:${redisPort}/0`, [redisPort], redis),
    {
      kind: 'task',
      id: placedName('topics', region),
      // It waits for the broker by itself: loading its client takes a second of the same time.
      dependsOn: [],
      run: (signal) => createTopics(tools, broker, places.compileCache, signal),
    },
  ];
}

function store(
  name: 'kafka' | 'postgres' | 'redis',
  region: string | undefined,
  url: string,
  ports: readonly number[],
  spec: ProcessSpec,
): ProcessNode {
  const id = placedName(name, region);
  const alone = { dependsOn: [], uses: [] };
  return { kind: 'process', id, name, region, url, ports, ...alone, spec, log: name };
}

function serviceNode(stack: Stack, service: PlacedService): ProcessNode {
  const { kind, region, keys } = service;
  const { facts, tools, places } = stack;
  const id = placedName(kind.name, region);
  const internalPort = facts.port(`${id}/internal`);
  const ports = portsOf(service, facts);
  const spec: ProcessSpec = {
    command: [tools.node, `${kind.folder}/main.ts`],
    env: {
      ...serviceEnv(service, keys, facts, stack.caller),
      // Spares a restart most of the time that reading the sources takes.
      NODE_COMPILE_CACHE: places.compileCache,
      ...(stack.caller['NODE_OPTIONS'] ? { NODE_OPTIONS: stack.caller['NODE_OPTIONS'] } : {}),
    },
    stopSignal: 'SIGTERM',
    deathSignal: 'SIGKILL',
    prepare: async () => {},
    probe: () => answersOk(internalPort, '/readyz'),
  };
  return {
    kind: 'process',
    id,
    name: kind.name,
    region,
    url: `http://127.0.0.1:${ports[0]}`,
    ports,
    dependsOn: storesOf(service, facts),
    uses: usedBy(stack, service),
    spec,
    log: 'service',
  };
}

/**
 * Every listener a service's keys name, the main one first; a service may have none but its own.
 */
function portsOf({ kind, region, keys }: PlacedService, facts: Facts): number[] {
  const id = placedName(kind.name, region);
  const listeners = {
    VOTE_PORT: id,
    VOTE_PORTAL_PORT: 'edge/portal',
    VOTE_SMTP_PORT: 'mailbox/smtp',
    VOTE_INTERNAL_PORT: `${id}/internal`,
  };
  return Object.entries(listeners)
    .filter(([key]) => keys.all.includes(key))
    .map(([, listener]) => facts.port(listener));
}

/** A service waits for the stores whose addresses it lists, and for nothing else. */
function storesOf({ keys, region }: PlacedService, { regions }: Facts): string[] {
  const home = region ?? regions[0];
  const stores: Record<string, string[]> = {
    VOTE_KAFKA_BROKERS: [placedName('kafka', home), placedName('topics', home)],
    VOTE_REDIS_URL: [placedName('redis', home)],
    VOTE_POSTGRES_URL: ['postgres', 'schema'],
  };
  return Object.entries(stores)
    .filter(([key]) => keys.all.includes(key))
    .flatMap(([, ids]) => ids);
}

/**
 * The edge passes on what is under way, mail is sent and copies are written in the other region
 * until their users are gone.
 */
function usedBy({ services, facts }: Stack, { kind, keys, region }: PlacedService): string[] {
  const ids = (isUsed: (name: string) => boolean): string[] =>
    services
      .filter((other) => isUsed(other.kind.name))
      .map((other) => placedName(other.kind.name, other.region));
  if (kind.name === 'edge') return ids((name) => name !== 'edge' && name !== 'mailbox');
  const others = facts.regions.filter((name) => name !== region);
  return [
    ...(keys.all.includes('VOTE_SMTP_URL') ? ids((name) => name === 'mailbox') : []),
    ...(keys.all.includes('VOTE_STANDBY_BROKERS')
      ? others.map((name) => placedName('kafka', name))
      : []),
  ];
}
