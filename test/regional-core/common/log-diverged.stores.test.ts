import { stat, truncate } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { sleep } from '#common/clock.ts';
import { createAdmin, createProducer, readTopicLayout } from '#common/kafka.ts';
import { createLog } from '#common/log.ts';
import { LogDivergedError, LogReader } from '#common/log-reader.ts';
import { startOwnBroker } from '../../support/broker.ts';

const log = createLog({ service: 'test' }, 'error');
const broker = await startOwnBroker();
const brokers = [broker.address];
const topic = 'votes';
const admin = createAdmin({ brokers, clientId: 'test' });
afterAll(() => admin.close());

async function send(values: string[]): Promise<void> {
  const producer = createProducer({ brokers, clientId: 'test' });
  const messages = values.map((value) => ({
    topic,
    partition: 0,
    key: Buffer.from('key'),
    value: Buffer.from(value),
  }));
  await producer.send({ messages });
  await producer.close();
}

async function retry<T>(act: () => Promise<T>): Promise<T> {
  for (let tries = 0; ; tries++) {
    try {
      return await act();
    } catch (error) {
      if (tries === 100) throw error;
      await sleep(100);
    }
  }
}

async function takeUntil(reader: LogReader, count: number): Promise<string[]> {
  const values: string[] = [];
  while (values.length < count) {
    for (const { records } of await reader.take(100, 200)) {
      values.push(...records.map(({ value }) => String(value)));
    }
  }
  return values;
}

test('a log that lost what was read, and grew past it, is not read on as if nothing had been', async () => {
  await retry(() => admin.createTopics({ topics: [topic], partitions: 1, replicas: 1 }));
  await retry(async () => {
    const { partitions } = await readTopicLayout(admin, topic);
    if (partitions[0]?.leader !== 1) throw new Error('not led yet');
  });
  const segment = (folder: string): string =>
    join(folder, `${topic}-0`, '00000000000000000000.log');
  await send(['a', 'b', 'c']);
  let bytesOfThree = 0;
  await broker.restart(async (folder) => {
    bytesOfThree = (await stat(segment(folder))).size;
  });
  const reader = new LogReader({ brokers, clientId: 'test', topic, log, maxWaitMs: 50 });
  await retry(() => send(['d', 'e']));
  reader.assign(new Map([[0, 0]]));
  expect(await takeUntil(reader, 5)).toEqual(['a', 'b', 'c', 'd', 'e']);

  await broker.restart((folder) => truncate(segment(folder), bytesOfThree));
  await retry(() => send(['f', 'g', 'h', 'i', 'j']));
  const readOn = async (): Promise<never> => {
    for (;;) await reader.take(100, 200);
  };
  await expect(readOn()).rejects.toThrow(LogDivergedError);
  await expect(readOn()).rejects.toThrow(
    'partition 0 was read to 5, but agrees with what was read to 3',
  );
  // Started again from where it was: the memory of what was read is not lost with the partition.
  reader.assign(new Map());
  reader.assign(new Map([[0, 5]]));
  await expect(readOn()).rejects.toThrow(LogDivergedError);
  await reader.close();
}, 120_000);
