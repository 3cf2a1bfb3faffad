import { randomBytes } from 'node:crypto';
import { afterAll, expect, inject, test } from 'vitest';
import { createAdmin, createProducer } from '#common/kafka.ts';

/** One broker that asks for two replicas: only who waits for all of them is refused. */
test('a producer waits for all in-sync replicas, or its send fails', async () => {
  const brokers = [inject('stores').kafkaBrokers];
  const topic = `acks-${randomBytes(4).toString('hex')}`;
  const admin = createAdmin({ brokers, clientId: 'test' });
  const producer = createProducer({ brokers, clientId: 'test' });
  afterAll(async () => {
    await producer.close();
    await admin.deleteTopics({ topics: [topic] });
    await admin.close();
  });
  await admin.createTopics({
    topics: [topic],
    partitions: 1,
    replicas: 1,
    configs: [{ name: 'min.insync.replicas', value: '2' }],
  });
  const message = { topic, partition: 0, key: Buffer.from('key'), value: Buffer.from('value') };
  const errors = async (): Promise<string> =>
    producer.send({ messages: [message] }).then(
      () => 'accepted',
      (error: unknown) => JSON.stringify(error, Object.getOwnPropertyNames(error)),
    );
  // The topic is led a moment after it was made.
  await expect.poll(errors, { timeout: 10_000 }).toContain('NOT_ENOUGH_REPLICAS');
});
