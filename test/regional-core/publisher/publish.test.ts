import { expect, test } from 'vitest';
import { sendTo } from '../../../regional-core/publisher/publish.ts';

interface Sent {
  readonly messages: readonly { readonly topic: string; readonly key: Buffer; value: Buffer }[];
}

/** A producer that takes whatever it is given, but for the send with this number. */
function producerUnderTest(refusedAt = -1) {
  const sends: Sent[] = [];
  const send = (options: Sent): Promise<void> => {
    if (sends.length === refusedAt) return Promise.reject(new Error('no acknowledgement'));
    sends.push(options);
    return Promise.resolve();
  };
  return { sends, producer: { send } as unknown as Parameters<typeof sendTo>[0] };
}

const keyed = (count: number) =>
  Array.from({ length: count }, (_, no) => ({ key: `key-${no}`, value: Buffer.from([no % 256]) }));

const sizes = (sends: readonly Sent[]): number[] => sends.map(({ messages }) => messages.length);

test('whatever there is to tell goes out in order, 500 messages a send', async () => {
  const { sends, producer } = producerUnderTest();
  const send = sendTo(producer, 'sessions');
  await send([]);
  await send(keyed(500));
  expect(sizes(sends.splice(0))).toEqual([500]);
  await send(keyed(1201));
  expect(sizes(sends)).toEqual([500, 500, 201]);
  const messages = sends.flatMap((one) => one.messages);
  expect(messages).toEqual(
    keyed(1201).map(({ key, value }) => ({ topic: 'sessions', key: Buffer.from(key), value })),
  );
});

test('a send that is not acknowledged ends the turn: what is behind it is not sent', async () => {
  const { sends, producer } = producerUnderTest(1);
  await expect(sendTo(producer, 'sessions')(keyed(1201))).rejects.toThrow('no acknowledgement');
  expect(sizes(sends)).toEqual([500]);
});
