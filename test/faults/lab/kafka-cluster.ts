import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { sleep } from '#common/clock.ts';
import { topics } from '#common/contracts/topics.ts';
import { createAdmin, readTopicLayout, type TopicLayout } from '#common/kafka.ts';
import { waitUntil } from '../../../local/child.ts';
import { kafkaSpec } from '../../../local/kafka/kafka.ts';
import type { Tools } from '../../../local/tools.ts';
import { brokerSettings, controllerSettings } from './broker-settings.ts';
import type { Ground } from './ground.ts';
import { Proxy } from './proxy.ts';
import { Victim } from './victim.ts';

export interface ClusterShape {
  readonly brokers: number;
  /** Controllers as processes of their own; otherwise each broker is one too. */
  readonly hasOwnControllers: boolean;
}

export interface BrokerNode {
  readonly id: number;
  readonly process: Victim;
  /** What clients connect to; brokers talk to each other directly. */
  readonly proxy: Proxy;
  readonly dataDir: string;
}

const heapMb = { broker: 256, controller: 96 };
const firstControllerId = 101;
const readyMsMax = 90_000;

type Admin = ReturnType<typeof createAdmin>;

/** The Kafka of one region: brokers behind proxies, in one quorum. */
export class KafkaCluster {
  readonly region: string;
  readonly brokers: readonly BrokerNode[];
  readonly controllers: readonly Victim[];
  /** `host:port` of every broker's proxy. */
  readonly addresses: readonly string[];

  private constructor(
    region: string,
    brokers: readonly BrokerNode[],
    controllers: readonly Victim[],
    addresses: readonly string[],
  ) {
    this.region = region;
    this.brokers = brokers;
    this.controllers = controllers;
    this.addresses = addresses;
  }

  /** Lays a cluster out and opens its proxies; `start` brings it up. */
  static async create(
    ground: Ground,
    tools: Tools,
    region: string,
    shape: ClusterShape,
  ): Promise<KafkaCluster> {
    const ids = Array.from({ length: shape.brokers }, (_, at) => at + 1);
    const voterIds = shape.hasOwnControllers ? ids.map((_, at) => firstControllerId + at) : ids;
    const port = (name: string): number => ground.port(`kafka-${region}-${name}`);
    const voters = voterIds.map((id) => `${id}@127.0.0.1:${port(`voter-${id}`)}`).join(',');
    const clusterId = randomBytes(16).toString('base64url');
    const node = (id: number, clientPort: number, mb: number, settings: Settings): Victim => {
      const name = `kafka-${region}-${id}`;
      const spec = kafkaSpec(tools, {
        dataDir: join(ground.folder, name),
        port: clientPort,
        controllerPort: 0,
        heapMb: mb,
        member: { clusterId, settings },
      });
      return new Victim(name, spec, ground.logFolder);
    };
    const brokers = ids.map(async (id): Promise<BrokerNode> => {
      const listeners = {
        client: port(`broker-${id}`),
        advertised: port(`proxy-${id}`),
        inner: port(`inner-${id}`),
        controller: shape.hasOwnControllers ? undefined : port(`voter-${id}`),
      };
      const settings = brokerSettings(id, voters, shape.brokers, listeners);
      const process = node(id, listeners.client, heapMb.broker, settings);
      const target = { host: '127.0.0.1', port: listeners.client };
      const proxy = await Proxy.open(process.id, listeners.advertised, [target]);
      return { id, process, proxy, dataDir: join(ground.folder, process.id) };
    });
    const controllers = shape.hasOwnControllers ? voterIds : [];
    return new KafkaCluster(
      region,
      await Promise.all(brokers),
      controllers.map((id) => {
        const own = port(`voter-${id}`);
        return node(id, own, heapMb.controller, controllerSettings(id, voters, own));
      }),
      ids.map((id) => `127.0.0.1:${port(`proxy-${id}`)}`),
    );
  }

  async start(): Promise<void> {
    const all = [...this.controllers, ...this.brokers.map(({ process }) => process)];
    await Promise.all(all.map((one) => one.start()));
    await this.#withAdmin((admin) => this.#createTopics(admin));
    await this.#untilWhole();
  }

  async heal(): Promise<void> {
    for (const { proxy } of this.brokers) proxy.heal();
    await Promise.all(this.controllers.map((one) => one.heal()));
    await Promise.all(this.brokers.map(({ process }) => process.heal()));
    await this.#untilWhole();
  }

  async close(): Promise<void> {
    await Promise.all(this.brokers.map(({ proxy }) => proxy.close()));
    const all = [...this.brokers.map(({ process }) => process), ...this.controllers];
    await Promise.all(all.map((one) => one.kill()));
  }

  /** Who leads what now. */
  layout(topic = 'vote-submitted'): Promise<TopicLayout> {
    return this.#withAdmin((admin) => readTopicLayout(admin, topic));
  }

  /** The broker that leads most partitions of the votes. */
  async busiestLeader(): Promise<BrokerNode> {
    const { partitions } = await this.layout();
    const led = (id: number): number => partitions.filter(({ leader }) => leader === id).length;
    return this.brokers.toSorted((one, other) => led(other.id) - led(one.id))[0]!;
  }

  /** The topic has so many partitions from now on. */
  addPartitions(topic: string, count: number): Promise<void> {
    return this.#withAdmin((admin) => admin.createPartitions({ topics: [{ name: topic, count }] }));
  }

  async #withAdmin<T>(act: (admin: Admin) => Promise<T>): Promise<T> {
    const admin = createAdmin({ brokers: this.addresses, clientId: 'lab' });
    try {
      return await act(admin);
    } finally {
      await admin.close();
    }
  }

  async #untilWhole(): Promise<void> {
    const isWhole = (): Promise<boolean> => this.#withAdmin(allInSync).catch(() => false);
    if (await waitUntil(isWhole, readyMsMax)) return;
    throw new Error(`the Kafka of ${this.region} has not all replicas in sync`);
  }

  async #createTopics(admin: Admin): Promise<void> {
    const replicas = this.brokers.length;
    const inSync = String(Math.min(2, replicas));
    for (const { name, partitions, config } of topics) {
      const configs = Object.entries({ ...config, 'min.insync.replicas': inSync });
      await untilDone(() =>
        admin.createTopics({
          topics: [name],
          partitions,
          replicas,
          configs: configs.map(([key, value]) => ({ name: key, value })),
        }),
      );
    }
  }
}

type Settings = Readonly<Record<string, string | number>>;

async function allInSync(admin: Admin): Promise<boolean> {
  const names = topics.map(({ name }) => name);
  const { topics: known } = await admin.metadata({ topics: names, forceUpdate: true });
  const all = [...known.values()].flatMap(({ partitions }) => partitions);
  return all.every(({ leader, isr, replicas }) => leader >= 0 && isr.length === replicas.length);
}

/** A cluster that has just started has no controller yet, or too few brokers. */
async function untilDone(act: () => Promise<unknown>): Promise<void> {
  const untilMs = performance.now() + readyMsMax;
  for (;;) {
    try {
      await act();
      return;
    } catch (error) {
      // The one that was told to have failed did its work all the same.
      if (describe(error).includes('TOPIC_ALREADY_EXISTS')) return;
      if (performance.now() > untilMs) throw error;
      await sleep(250);
    }
  }
}

function describe(error: unknown): string {
  const { errors = [], ...own } = (error ?? {}) as { errors?: unknown[] };
  return [JSON.stringify(own), String(error), ...errors.map(describe)].join(' ');
}
