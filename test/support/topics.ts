import { randomBytes } from 'node:crypto';
import { afterAll, inject } from 'vitest';
import { sleep } from '#common/clock.ts';
import { topicName, topics } from '#common/contracts/topics.ts';
import { createAdmin, readTopicLayout } from '#common/kafka.ts';

/** Where a file's topics are. */
export interface TestTopics {
  readonly prefix: string;
  readonly brokers: string[];
}

/**
 * The declared topics for this file alone, told apart by a prefix; deleted after its last test. On
 * the run's Kafka, or on the broker given as `host:port`.
 */
export async function createTestTopics(
  broker: string = inject('stores').kafkaBrokers,
): Promise<TestTopics> {
  const brokers = [broker];
  const prefix = `test-${randomBytes(4).toString('hex')}-`;
  const admin = createAdmin({ brokers, clientId: 'test' });
  await Promise.all(
    topics.map(({ name, partitions, config }) =>
      admin.createTopics({
        topics: [topicName(prefix, name)],
        partitions,
        replicas: 1,
        configs: Object.entries(config).map(([key, value]) => ({ name: key, value })),
      }),
    ),
  );
  // Created is not yet known: the broker's metadata follow a moment later.
  for (const { name } of topics) {
    while (!(await isLed(admin, topicName(prefix, name)))) await sleep(20);
  }
  afterAll(async () => {
    await admin.deleteTopics({ topics: topics.map(({ name }) => topicName(prefix, name)) });
    await admin.close();
  });
  return { prefix, brokers };
}

async function isLed(admin: ReturnType<typeof createAdmin>, topic: string): Promise<boolean> {
  try {
    const { partitions } = await readTopicLayout(admin, topic);
    return partitions.every(({ leader }) => leader >= 0);
  } catch {
    return false;
  }
}
