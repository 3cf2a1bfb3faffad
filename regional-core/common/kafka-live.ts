import { type Admin, ConfigResourceTypes } from '@platformatic/kafka';

/** What a cluster says of itself, asked now. */
export interface LiveCluster {
  /** Full name → topic; one that does not exist is absent. */
  readonly topics: ReadonlyMap<string, LiveTopic>;
  /** Those that answered: at least one. */
  readonly brokers: readonly LiveBroker[];
}

export interface LiveTopic {
  readonly partitions: number;
  /** Replicas of the partition that has the fewest. */
  readonly copies: number;
  /** Values in force, the broker's default where the topic has none. */
  readonly config: ReadonlyMap<string, string>;
}

export interface LiveBroker {
  readonly id: number;
  readonly config: ReadonlyMap<string, string>;
}

/** Rejects when the cluster cannot be asked, or refuses to tell. */
export async function readLiveCluster(
  admin: Admin,
  names: readonly string[],
): Promise<LiveCluster> {
  const existing = new Set(await admin.listTopics({ includeInternals: false }));
  const present = names.filter((name) => existing.has(name));
  const metadata = await admin.metadata({ topics: present, forceUpdate: true });
  const configs = await readConfigs(admin, ConfigResourceTypes.TOPIC, present);
  const topics = present.map((name): [string, LiveTopic] => {
    const partitions = metadata.topics.get(name)?.partitions ?? [];
    const copies = Math.min(...partitions.map(({ replicas }) => replicas.length));
    const config = configs.get(name) ?? new Map<string, string>();
    return [name, { partitions: partitions.length, copies, config }];
  });
  return { topics: new Map(topics), brokers: await readBrokers(admin, metadata.brokers.keys()) };
}

/** Each broker answers for itself; one that is down says nothing, and that is no fault. */
async function readBrokers(admin: Admin, ids: Iterable<number>): Promise<LiveBroker[]> {
  const asked = [...ids].map(async (id) => {
    const configs = await readConfigs(admin, ConfigResourceTypes.BROKER, [String(id)]);
    return { id, config: configs.get(String(id)) ?? new Map<string, string>() };
  });
  const answers = await Promise.allSettled(asked);
  const answered = answers.flatMap((answer) =>
    answer.status === 'fulfilled' ? [answer.value] : [],
  );
  if (answered.length === 0) throw new Error('no broker told its settings', { cause: answers });
  return answered;
}

async function readConfigs(
  admin: Admin,
  resourceType: (typeof ConfigResourceTypes)['TOPIC' | 'BROKER'],
  names: readonly string[],
): Promise<ReadonlyMap<string, ReadonlyMap<string, string>>> {
  if (names.length === 0) return new Map();
  const described = await admin.describeConfigs({
    resources: names.map((resourceName) => ({ resourceType, resourceName })),
  });
  return new Map(
    described.map(({ resourceName, configs }) => [
      resourceName,
      new Map(configs.map(({ name, value }) => [name, value ?? ''])),
    ]),
  );
}
