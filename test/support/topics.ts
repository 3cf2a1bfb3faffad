import { randomBytes } from 'node:crypto';
import { afterAll, inject } from 'vitest';
import { topicName, topics } from '#common/contracts/topics.ts';
import { createAdmin } from '#common/kafka.ts';

/** The declared topics for this file alone, told apart by a prefix; deleted after its last test. */
export async function createTestTopics(): Promise<{ prefix: string; brokers: string[] }> {
  const brokers = [inject('stores').kafkaBrokers];
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
  afterAll(async () => {
    await admin.deleteTopics({ topics: topics.map(({ name }) => topicName(prefix, name)) });
    await admin.close();
  });
  return { prefix, brokers };
}
