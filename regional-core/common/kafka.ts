import { Admin, Consumer, Producer } from '@platformatic/kafka';

/**
 * Clients of one region's Kafka. Importing the library costs 660 ms of CPU and 104 MB a process, so
 * only rooms that talk to Kafka import this file.
 */
export interface KafkaOptions {
  readonly brokers: readonly string[];
  /** Shown in the broker's logs and quotas: the service and its process. */
  readonly clientId: string;
}

const connectMs = 2000;
const requestMs = 5000;

/**
 * A producer that waits for all in-sync replicas and tries once: whoever sends decides what a
 * failure means and where to send next. The library's idempotent mode failed with several sends
 * under way; votes are deduplicated by Postgres.
 *
 * Without it, it sends with acks=1 unless each send says otherwise, whatever the producer was made
 * with: a leader that went away right after took votes with it whose 201 was given.
 */
export function createProducer(options: KafkaOptions): Producer<Buffer, Buffer, Buffer, Buffer> {
  const producer = new Producer<Buffer, Buffer, Buffer, Buffer>({
    clientId: options.clientId,
    bootstrapBrokers: [...options.brokers],
    acks: -1,
    idempotent: false,
    autocreateTopics: false,
    retries: 0,
    timeout: requestMs,
    connectTimeout: connectMs,
    requestTimeout: requestMs,
    metadataMaxAge: 5000,
  });
  const send = producer.send.bind(producer);
  producer.send = (message: Parameters<typeof send>[0]) => send({ ...message, acks: -1 });
  return producer;
}

/**
 * For asking and setting up, never for votes. It tries once, and what is not answered in 5 s
 * rejects; whoever made it decides about trying again, and closes it.
 */
export function createAdmin(options: KafkaOptions): Admin {
  return new Admin({
    clientId: options.clientId,
    bootstrapBrokers: [...options.brokers],
    retries: 0,
    timeout: requestMs,
    connectTimeout: connectMs,
    requestTimeout: requestMs,
  });
}

/** A consumer that joins no group: offsets come from the caller, the group's name means nothing. */
export function createGrouplessConsumer(
  options: KafkaOptions,
  retries = 0,
): Consumer<Buffer, Buffer, Buffer, Buffer> {
  return new Consumer({
    groupId: options.clientId,
    clientId: options.clientId,
    bootstrapBrokers: [...options.brokers],
    autocommit: false,
    retries,
    retryDelay: 100,
    timeout: requestMs,
    connectTimeout: connectMs,
    requestTimeout: requestMs,
    metadataMaxAge: 5000,
  });
}

export interface Partition {
  readonly partition: number;
  /** Broker id of the leader; −1 while there is none. */
  readonly leader: number;
}

/** A topic as the cluster told it at one moment; a partition stands at the place of its number. */
export interface TopicLayout {
  readonly clusterId: string;
  /** Canonical UUID: a topic deleted and made again has another one. */
  readonly topicId: string;
  readonly partitions: readonly Partition[];
}

/** Who leads what, asked of the cluster now. Throws when the topic does not exist. */
export async function readTopicLayout(
  client: { metadata: Admin['metadata'] },
  topic: string,
): Promise<TopicLayout> {
  const metadata = await client.metadata({ topics: [topic], forceUpdate: true });
  const found = metadata.topics.get(topic);
  if (found === undefined) throw new Error(`topic ${topic} does not exist`);
  return {
    clusterId: metadata.id,
    topicId: found.id,
    partitions: found.partitions.map((p, partition) => ({ partition, leader: p.leader })),
  };
}

/**
 * Next offset of each partition. `earliest`: what the log starts with; `latest`: its end. A
 * partition just made, or just given a new leader, has none for a moment: asked again five times.
 */
export async function readLogBounds(
  options: KafkaOptions,
  topic: string,
  bound: 'earliest' | 'latest',
): Promise<readonly number[]> {
  // KIP-79: −2 asks for the log's start, −1 for its end.
  const timestamp = bound === 'earliest' ? -2n : -1n;
  const consumer = createGrouplessConsumer(options, 5);
  try {
    const offsets = await consumer.listOffsets({ topics: [topic], timestamp });
    return (offsets.get(topic) ?? []).map(Number);
  } finally {
    await consumer.close(true);
  }
}
