import { afterAll, expect, test } from 'vitest';
import { sleep } from '#common/clock.ts';
import { topics as declared, topicName } from '#common/contracts/topics.ts';
import { createAdmin } from '#common/kafka.ts';
import { startOwnBroker } from '../../support/broker.ts';
import { createTestTopics } from '../../support/topics.ts';
import {
  announceSessions,
  openBallot,
  post,
  readLog,
  receiptOf,
  startReadyIntake,
  vote,
} from './intake-under-test.ts';

/** Two Kafkas: the region's own, and the other region's, which stops answering and comes back. */
const topics = await createTestTopics();
await announceSessions(topics);
const broker = await startOwnBroker();
const there = { prefix: topics.prefix, brokers: [broker.address] };
const admin = createAdmin({ brokers: there.brokers, clientId: 'test' });
const copies = topicName(topics.prefix, 'vote-standby');
const { partitions, config } = declared.find(({ name }) => name === 'vote-standby')!;
const configs = Object.entries(config).map(([name, value]) => ({ name, value }));
await admin.createTopics({ topics: [copies], partitions, replicas: 1, configs });
await admin.close();
const start = (standbyAway: 'refuse' | 'accept') =>
  startReadyIntake({
    topicPrefix: topics.prefix,
    redisPrefix: `${topics.prefix}${standbyAway}:`,
    durability: 'two-regions',
    standbyBrokers: there.brokers,
    standbyAway,
  });
const refusing = await start('refuse');
const accepting = await start('accept');
afterAll(async () => {
  await Promise.all([refusing.stop(), accepting.stop()]);
});

async function cast(url: string) {
  const { ballot, token } = openBallot();
  const startedMs = performance.now();
  const answer = await post(vote('tea'), { token, url });
  return { ballot, answer, tookMs: performance.now() - startedMs };
}

async function untilTwoRegions(url: string): Promise<void> {
  for (const deadlineMs = performance.now() + 15_000; ; await sleep(100)) {
    const { answer } = await cast(url);
    if (answer.status === 201 && receiptOf(answer).durability === 'two-regions') return;
    if (performance.now() > deadlineMs) throw new Error('no copy is acknowledged');
  }
}

/** The vote ids that lie in a topic of a Kafka. */
async function votesIn(kafka: typeof there, name: 'vote-submitted' | 'vote-standby') {
  const ids = new Set<string>();
  for (const record of (await readLog(kafka, name)).values()) {
    if ('ballot' in record) ids.add(record.ballot.vote_id);
  }
  return ids;
}

test('a receipt says two-regions for a record that lies in both', async () => {
  for (const { url } of [refusing, accepting]) await untilTwoRegions(url);
  const votes = await Promise.all(Array.from({ length: 20 }, () => cast(refusing.url)));
  const own = await readLog(topics);
  const copied = await votesIn(there, 'vote-standby');
  for (const { ballot, answer } of votes) {
    const receipt = receiptOf(answer);
    expect(receipt.durability).toBe('two-regions');
    expect(own.get(`${receipt.partition}/${receipt.offset}`)).toMatchObject({ ballot });
    expect(copied.has(ballot.vote_id)).toBe(true);
  }
});

test('the other region silent: one intake refuses, the other says less, both in time; and it heals', async () => {
  for (const { url } of [refusing, accepting]) await untilTwoRegions(url);
  broker.pause();
  const [unknown, less] = await Promise.all([cast(refusing.url), cast(accepting.url)]);
  expect(unknown.answer).toMatchObject({ status: 503, body: { error: 'outcome_unknown' } });
  expect(unknown.tookMs).toBeLessThan(2500);
  expect(less.answer.status).toBe(201);
  expect(receiptOf(less.answer).durability).toBe('single');
  expect(less.tookMs).toBeLessThan(2000);

  const next = await Promise.all([cast(refusing.url), cast(accepting.url)]);
  const [refused, accepted] = next;
  expect(refused.answer).toMatchObject({ status: 503, body: { error: 'overloaded' } });
  expect(accepted.answer.status).toBe(201);
  for (const { tookMs } of next) expect(tookMs).toBeLessThan(500);
  expect((await votesIn(topics, 'vote-submitted')).has(refused.ballot.vote_id)).toBe(false);

  broker.resume();
  for (const { url } of [refusing, accepting]) await untilTwoRegions(url);
}, 60_000);
