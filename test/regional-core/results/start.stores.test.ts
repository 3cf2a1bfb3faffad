import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { systemClock } from '#common/clock.ts';
import { encodeSessionsMessage, sessionsMessageKey } from '#common/contracts/session.ts';
import { type TopicName, topicName } from '#common/contracts/topics.ts';
import { encodeTotalsMessage } from '#common/contracts/vote-aggregated.ts';
import { createProducer } from '#common/kafka.ts';
import { createLog } from '#common/log.ts';
import { Registry } from '#common/metrics.ts';
import type { Running } from '#common/service.ts';
import { start } from '../../../regional-core/results/start.ts';
import { createTestTopics } from '../../support/topics.ts';
import { aSession, json, originSecret, sessionId, totalsAt, until } from './harness.ts';

const { prefix, brokers } = await createTestTopics();
const producer = createProducer({ brokers, clientId: 'test' });
const registry = new Registry();
const draining = new AbortController();
const headers = { 'x-origin-secret': originSecret };
let running: Running;
let url: string;

async function send(topic: TopicName, key: string, values: (Buffer | string)[]): Promise<void> {
  const messages = values.map((value) => ({
    topic: topicName(prefix, topic),
    partition: 0,
    key: Buffer.from(key),
    value: Buffer.from(value),
  }));
  await producer.send({ messages });
}

async function snapshot(): Promise<Record<string, unknown>> {
  return json(await (await fetch(url, { headers })).text());
}

async function snapshotAtTotal(total: number): Promise<Record<string, unknown>> {
  for (;;) {
    const body = await snapshot();
    if (body['total_votes'] === total) return body;
  }
}

beforeAll(async () => {
  const session = aSession({ opens_at_ms: 0, closes_at_ms: Date.now() + 3_600_000 });
  await send('sessions', sessionsMessageKey(session), [
    'not a message',
    encodeSessionsMessage(session),
  ]);
  await send('vote-aggregated', sessionId, [
    encodeTotalsMessage(totalsAt(4, [4, 0, 0])),
    '{"v":1,"session_id":"x"}',
    encodeTotalsMessage(totalsAt(7, [5, 1, 1])),
  ]);
  running = await start({
    config: {
      host: '127.0.0.1',
      port: 0,
      internalPort: 1,
      logLevel: 'error',
      drainNoticeMs: 0,
      region: 'home',
      kafkaBrokers: brokers,
      topicPrefix: prefix,
      originSecrets: [originSecret],
      receiptKeys: new Map(),
      streamsMax: 10,
      streamsPerAddressMax: 10,
    },
    log: createLog({ service: 'results' }, 'error'),
    metrics: registry,
    clock: systemClock,
    random: Math.random,
    draining: draining.signal,
    loopTrouble: () => undefined,
    fail: (error) => {
      throw error;
    },
  });
  const { port } = running.server!.address() as AddressInfo;
  url = `http://127.0.0.1:${port}/api/v1/results/${sessionId}`;
});

afterAll(async () => {
  await producer.close();
});

test('a process that starts reads what stands in the topics, and only then answers', async () => {
  // Never 404: a session that is not read yet must not be told from one that does not exist.
  const early = await fetch(url, { headers });
  expect([200, 503]).toContain(early.status);
  await early.text();
  await until(() => running.notReady().length === 0, 'ready');
  expect(await snapshot()).toMatchObject({ total_votes: 7, sequence: 2 ** 40 + 7 });
  expect(await registry.getSingleMetric('results_messages_ignored_total')!.get()).toMatchObject({
    values: [{ value: 1 }, { value: 1 }],
  });
});

test('totals that are published reach the snapshot and the open stream', async () => {
  const response = await fetch(`${url}/stream?format=tick&covers=1`, { headers });
  let text = '';
  const reading = (async () => {
    for await (const part of response.body!) text += Buffer.from(part).toString();
  })();
  await until(() => text.includes('event: snapshot'), 'the snapshot');
  await send('vote-aggregated', sessionId, [encodeTotalsMessage(totalsAt(9, [5, 2, 2]))]);
  const data = 'data: {"t":9,"c":[[1,2],[2,2]],"covers":{"home":[9,0]}}';
  await until(() => text.includes(data), 'the tick');
  expect(await snapshotAtTotal(9)).toMatchObject({ covers: { home: [9, 0] } });
  // Older totals, read again by another publisher, change nothing.
  await send('vote-aggregated', sessionId, [
    encodeTotalsMessage(totalsAt(8, [5, 2, 1])),
    encodeTotalsMessage(totalsAt(10, [6, 2, 2])),
  ]);
  await until(() => text.includes('data: {"t":10,"c":[[0,6]]'), 'the next tick');
  expect(text).not.toContain('"t":8');

  draining.abort();
  await running.drain();
  await reading;
  expect(text.trimEnd()).toMatch(/retry: \d+$/);
  await new Promise<void>((resolve) => {
    running.server!.close(() => resolve());
  });
});
