import { tracingChannel } from 'node:diagnostics_channel';
import { expect, test } from 'vitest';
import { createProducer } from '#common/kafka.ts';
import { anyFreePorts } from '../../../local/free-ports.ts';

interface Sending {
  readonly options: { readonly acks: number };
}

/**
 * Asked of the client itself: a broker cannot tell it to us, because one that is alone takes what
 * is sent with any acks, whatever min.insync.replicas says.
 */
test('each send waits for all in-sync replicas, whatever the client does by itself', async () => {
  const [nobody] = await anyFreePorts(1);
  const producer = createProducer({ brokers: [`127.0.0.1:${nobody}`], clientId: 'test' });
  const asked: number[] = [];
  const channel = tracingChannel<Sending>('plt:kafka:producer:sends');
  const start = (context: unknown): void => {
    asked.push((context as Sending).options.acks);
  };
  channel.start.subscribe(start);
  try {
    const message = { topic: 'votes', partition: 0, key: Buffer.alloc(1), value: Buffer.alloc(1) };
    await expect(producer.send({ messages: [message] })).rejects.toThrow();
    expect(asked).toEqual([-1]);
  } finally {
    channel.start.unsubscribe(start);
    await producer.close();
  }
});
