import { expect, test } from 'vitest';
import { sleep } from '#common/clock.ts';
import { topicName } from '#common/contracts/topics.ts';
import { followTopic } from '#common/follow-topic.ts';
import { createAdmin, createProducer, readTopicLayout } from '#common/kafka.ts';
import { createLog } from '#common/log.ts';
import {
  LogReader,
  LogReplacedError,
  OffsetOutOfRangeError,
  type PartitionBatch,
} from '#common/log-reader.ts';
import { createTestTopics } from '../../support/topics.ts';

const log = createLog({ service: 'test' }, 'error');
const { prefix, brokers } = await createTestTopics();
const topic = topicName(prefix, 'vote-submitted');

async function send(partition: number, values: string[]): Promise<number> {
  const producer = createProducer({ brokers, clientId: 'test' });
  const messages = values.map((value) => ({
    topic,
    partition,
    key: Buffer.from('key'),
    value: Buffer.from(value),
  }));
  const { offsets } = await producer.send({ messages });
  await producer.close();
  return Number(offsets![0]!.offset);
}

async function takeUntil(reader: LogReader, count: number): Promise<PartitionBatch[]> {
  const batches: PartitionBatch[] = [];
  const deadline = performance.now() + 10_000;
  while (batches.reduce((sum, { records }) => sum + records.length, 0) < count) {
    if (performance.now() > deadline) throw new Error(`waited in vain for ${count} records`);
    batches.push(...(await reader.take(1000, 200)));
  }
  return batches;
}

const texts = (batches: PartitionBatch[]): string[] =>
  batches.flatMap(({ records }) => records.map(({ value }) => String(value)));

test('reads each partition from the offset it is given, whole batches or not', async () => {
  const base = await send(3, ['a', 'b', 'c', 'd']);
  await send(4, ['x']);
  const reader = new LogReader({ brokers, clientId: 'test', topic, log, maxWaitMs: 100 });
  reader.assign(
    new Map([
      [3, base + 2],
      [4, 0],
    ]),
  );
  const batches = await takeUntil(reader, 3);
  expect(texts(batches).toSorted()).toEqual(['c', 'd', 'x']);
  const third = batches.filter(({ partition }) => partition === 3);
  expect(third[0]!.from).toBe(base + 2);
  expect(third.at(-1)!.next).toBe(base + 4);
  expect(reader.caughtUp()).toBe(true);
  await reader.close();
});

test('knows the end as of when it asked, not as of when the answer was read', async () => {
  const base = await send(8, ['last']);
  const maxWaitMs = 600;
  const reader = new LogReader({ brokers, clientId: 'test', topic, log, maxWaitMs });
  reader.assign(new Map([[8, base + 1]]));
  while (reader.endsKnownAtMs === Number.NEGATIVE_INFINITY) await sleep(10);
  // The broker had nothing to tell and answered after its longest wait.
  expect(performance.now() - reader.endsKnownAtMs).toBeGreaterThan(maxWaitMs - 50);
  await reader.close();
});

test('a log in which nothing happens is known as of the last time it was asked for', async () => {
  const base = await send(9, ['only']);
  const reader = new LogReader({ brokers, clientId: 'test', topic, log, maxWaitMs: 100 });
  reader.assign(new Map([[9, base + 1]]));
  while (reader.endsKnownAtMs === Number.NEGATIVE_INFINITY) await sleep(10);
  // In an incremental fetch session (KIP-227) a broker leaves out what has not changed.
  await sleep(1500);
  expect(performance.now() - reader.endsKnownAtMs).toBeLessThan(1000);
  await reader.close();
});

test('goes back when sought, and forgets what it had buffered', async () => {
  const base = await send(5, ['1', '2', '3']);
  const reader = new LogReader({ brokers, clientId: 'test', topic, log, maxWaitMs: 100 });
  reader.assign(new Map([[5, base]]));
  expect(texts(await takeUntil(reader, 3))).toEqual(['1', '2', '3']);
  reader.seek(5, base + 1);
  expect(texts(await takeUntil(reader, 2))).toEqual(['2', '3']);
  await reader.close();
});

test('hands out at most as many records as asked for, and the rest next time', async () => {
  const base = await send(6, ['1', '2', '3', '4', '5']);
  const reader = new LogReader({ brokers, clientId: 'test', topic, log, maxWaitMs: 100 });
  reader.assign(new Map([[6, base]]));
  let first: PartitionBatch[] = [];
  while (first.length === 0) first = await reader.take(2, 200);
  expect(texts(first)).toEqual(['1', '2']);
  expect(first[0]!.next).toBe(base + 2);
  const rest = await reader.take(10, 200);
  expect(texts(rest)).toEqual(['3', '4', '5']);
  expect(rest[0]!.from).toBe(base + 2);
  await reader.close();
});

test('stops at an offset the log does not have, and goes on once sought elsewhere', async () => {
  const base = await send(7, ['only']);
  const reader = new LogReader({ brokers, clientId: 'test', topic, log, maxWaitMs: 100 });
  reader.assign(new Map([[7, base + 100]]));
  await expect(
    (async () => {
      for (;;) await reader.take(10, 200);
    })(),
  ).rejects.toThrow(OffsetOutOfRangeError);
  reader.seek(7, base);
  expect(texts(await takeUntil(reader, 1))).toEqual(['only']);
  await reader.close();
});

test('a topic that was made again is another log: reading stops and says so', async () => {
  const name = `${prefix}made-again`;
  const admin = createAdmin({ brokers, clientId: 'test' });
  const create = async (): Promise<void> => {
    await admin.createTopics({ topics: [name], partitions: 1, replicas: 1 });
    while (!(await readTopicLayout(admin, name).catch(() => undefined))) await sleep(20);
  };
  await create();
  const reader = new LogReader({ brokers, clientId: 'test', topic: name, log, maxWaitMs: 50 });
  const { topicId } = await reader.layout();
  reader.assign(new Map([[0, 0]]));
  await reader.take(10, 200);
  await admin.deleteTopics({ topics: [name] });
  while (await readTopicLayout(admin, name).catch(() => undefined)) await sleep(20);
  await create();
  expect((await readTopicLayout(admin, name)).topicId).not.toBe(topicId);
  await expect(
    (async () => {
      for (;;) await reader.take(10, 200);
    })(),
  ).rejects.toThrow(LogReplacedError);
  await reader.close();
  await admin.deleteTopics({ topics: [name] });
  await admin.close();
});

test('a partition that is added is known within seconds, and read when it is asked for', async () => {
  const name = `${prefix}grows`;
  const admin = createAdmin({ brokers, clientId: 'test' });
  await admin.createTopics({ topics: [name], partitions: 1, replicas: 1 });
  while (!(await readTopicLayout(admin, name).catch(() => undefined))) await sleep(20);
  const followed: string[] = [];
  const follower = followTopic({ brokers, clientId: 'test', topic: name, log }, (records) =>
    followed.push(...records.map(({ value }) => String(value))),
  );
  const reader = new LogReader({ brokers, clientId: 'test', topic: name, log, maxWaitMs: 50 });
  reader.assign(new Map([[0, 0]]));
  await reader.take(10, 500);
  expect(reader.size).toBe(1);
  await admin.createPartitions({ topics: [{ name, count: 2, assignments: null }] });
  const producer = createProducer({ brokers, clientId: 'test' });
  const message = { topic: name, partition: 1, key: Buffer.from('k'), value: Buffer.from('new') };
  while (!(await producer.send({ messages: [message] }).catch(() => undefined))) await sleep(50);
  await producer.close();
  // Whoever has heard of it elsewhere need not wait.
  reader.assign(
    new Map([
      [0, 0],
      [1, 0],
    ]),
  );
  expect(texts(await takeUntil(reader, 1))).toEqual(['new']);
  expect(reader.size).toBe(2);
  const deadline = performance.now() + 18_000;
  while (followed.length === 0 && performance.now() < deadline) await sleep(50);
  expect(followed).toEqual(['new']);
  await follower.close();
  await reader.close();
  await admin.deleteTopics({ topics: [name] });
  await admin.close();
}, 40_000);
