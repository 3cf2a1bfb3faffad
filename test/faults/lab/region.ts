import { rm } from 'node:fs/promises';
import type { Facts } from '../../../local/env.ts';
import type { Tools } from '../../../local/tools.ts';
import type { Ground } from './ground.ts';
import { type ClusterShape, KafkaCluster } from './kafka-cluster.ts';
import { Proxy } from './proxy.ts';
import { RedisPair } from './redis-pair.ts';
import { createService, type Service } from './service.ts';

/** How many of each service a region has, in the order in which they may start. */
const counts = { publisher: 1, intake: 2, ledger: 2, results: 1, records: 1 } as const;
type RegionalName = keyof typeof counts;

export interface RegionPlan {
  readonly name: string;
  readonly kafka: ClusterShape;
  /** Values beside those of the local stack, for every service of the region. */
  readonly own: Readonly<Record<string, string>>;
}

/** Everything of one region: its stores, its services, and the load balancer before its intakes. */
export class Region {
  readonly name: string;
  readonly kafka: KafkaCluster;
  readonly redis: RedisPair;
  readonly services: Readonly<Record<RegionalName, readonly Service[]>>;
  /** Stands for the region's NLB: a connection goes to an intake that says it is ready. */
  readonly front: Proxy;
  readonly frontPort: number;
  /** The region's way to the one database. */
  readonly toPostgres: Proxy;
  /** Its machines and disks are gone, and nothing heals it. */
  isDestroyed = false;
  #watching: NodeJS.Timeout | undefined;

  private constructor(
    name: string,
    kafka: KafkaCluster,
    redis: RedisPair,
    services: Readonly<Record<RegionalName, readonly Service[]>>,
    front: Proxy,
    frontPort: number,
    toPostgres: Proxy,
  ) {
    this.name = name;
    this.kafka = kafka;
    this.redis = redis;
    this.services = services;
    this.front = front;
    this.frontPort = frontPort;
    this.toPostgres = toPostgres;
  }

  static async create(
    ground: Ground,
    tools: Tools,
    facts: Facts,
    { name, kafka: shape, own }: RegionPlan,
  ): Promise<Region> {
    const kafka = await KafkaCluster.create(ground, tools, name, shape);
    const redis = await RedisPair.create(ground, tools, name);
    const linkPort = ground.port(`postgres-from-${name}`);
    const link = await Proxy.open(`postgres from ${name}`, linkPort, [
      { host: '127.0.0.1', port: facts.port('postgres') },
    ]);
    const here: Facts = {
      ...facts,
      port: (listener) => (listener === 'postgres' ? linkPort : facts.port(listener)),
    };
    const values = { ...own, VOTE_KAFKA_BROKERS: kafka.addresses.join(',') };
    const all = Object.entries(counts).map(async ([service, count]) => {
      const places = Array.from({ length: count }, (_, at) => ({
        name: service,
        region: name,
        number: at + 1,
      }));
      const made = places.map((place) => createService(ground, tools, here, place, values));
      return [service, await Promise.all(made)] as const;
    });
    const services = Object.fromEntries(await Promise.all(all)) as Record<RegionalName, Service[]>;
    const frontPort = ground.port(`front-${name}`);
    const front = await Proxy.open(`front ${name}`, frontPort, services.intake.map(targetOf));
    return new Region(name, kafka, redis, services, front, frontPort, link);
  }

  get all(): readonly Service[] {
    return Object.values(this.services).flat();
  }

  async start(): Promise<void> {
    await Promise.all([this.kafka.start(), this.redis.start()]);
    await Promise.all(this.all.map(({ process }) => process.spawn()));
    await Promise.all(this.all.map(({ process }) => process.ready()));
    this.#watching = setInterval(() => void this.#watch(), healthMs);
  }

  /** Everything ends at once, and what its Kafka held is gone. */
  async destroy(): Promise<void> {
    this.isDestroyed = true;
    clearInterval(this.#watching);
    this.front.refuse();
    this.front.resetAll();
    const { brokers } = this.kafka;
    const processes = [...brokers, ...this.all].map(({ process }) => process);
    await Promise.all(processes.map((one) => one.kill()));
    await Promise.all(brokers.map(({ dataDir }) => rm(dataDir, { recursive: true })));
  }

  async heal(): Promise<void> {
    if (this.isDestroyed) return;
    this.front.heal();
    this.toPostgres.heal();
    await Promise.all([this.kafka.heal(), this.redis.heal()]);
    await Promise.all(this.all.map(({ process }) => process.heal()));
    await this.#watch();
  }

  async close(): Promise<void> {
    clearInterval(this.#watching);
    await Promise.all(this.all.map(({ process }) => process.kill()));
    await Promise.all(
      [this.front, this.toPostgres, this.kafka, this.redis].map((one) => one.close()),
    );
  }

  /** Health checks as an NLB does them; with no healthy target it sends to all. */
  async #watch(): Promise<void> {
    const { intake } = this.services;
    const isReady = await Promise.all(intake.map(({ process }) => process.isReady()));
    const ready = intake.filter((_, index) => isReady[index]);
    this.front.moveTo(...(ready.length > 0 ? ready : intake).map(targetOf));
  }
}

const healthMs = 1000;

function targetOf({ port }: Service): { host: string; port: number } {
  return { host: '127.0.0.1', port };
}
