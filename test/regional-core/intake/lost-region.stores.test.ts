import { afterAll, expect, test } from 'vitest';
import { sleep } from '#common/clock.ts';
import {
  encodeSessionsMessage,
  type RegionsMessage,
  sessionsMessageKey,
} from '#common/contracts/session.ts';
import { topicName } from '#common/contracts/topics.ts';
import { createProducer } from '#common/kafka.ts';
import { createTestTopics } from '../../support/topics.ts';
import {
  announceSessions,
  openBallot,
  post,
  readLog,
  startReadyIntake,
  vote,
} from './intake-under-test.ts';

/** Intakes of two regions that read the same topic `sessions`, which says that one is lost. */
const topics = await createTestTopics();
await announceSessions(topics);
const start = (region: string) =>
  startReadyIntake({ region, topicPrefix: topics.prefix, redisPrefix: topics.prefix });
const east = await start('us-east-1');
const west = await start('us-west-2');
afterAll(async () => {
  await Promise.all([east.stop(), west.stop()]);
});

test('an intake of a region that was declared lost takes no votes and is not ready', async () => {
  expect((await post(vote('tea'), { token: openBallot().token, url: east.url })).status).toBe(201);
  const message: RegionsMessage = { type: 'regions', v: 1, epoch: 2, lost: ['us-east-1'] };
  const producer = createProducer({ brokers: topics.brokers, clientId: 'test' });
  await producer.send({
    messages: [
      {
        topic: topicName(topics.prefix, 'sessions'),
        key: Buffer.from(sessionsMessageKey(message)),
        value: encodeSessionsMessage(message),
      },
    ],
  });
  await producer.close();
  while (east.running.notReady().length === 0) await sleep(20);
  expect(east.running.notReady()).toEqual(['region us-east-1 was declared lost']);

  const written = (await readLog(topics)).size;
  const refused = await post(vote('tea'), { token: openBallot().token, url: east.url });
  expect(refused).toMatchObject({ status: 503, body: { error: 'not_ready', retryable: true } });
  expect((await readLog(topics)).size).toBe(written);
  expect(west.running.notReady()).toEqual([]);
  expect((await post(vote('tea'), { token: openBallot().token, url: west.url })).status).toBe(201);
});
