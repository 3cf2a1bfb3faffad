import { afterAll, expect, test, vi } from 'vitest';
import { topicName } from '#common/contracts/topics.ts';
import { createProducer, readLogBounds } from '#common/kafka.ts';
import { regionNo } from '#common/region-no.ts';
import { createTestDatabase } from '../../support/database.ts';
import { createTestTopics } from '../../support/topics.ts';
import {
  createBallot,
  createRecord,
  createSession,
  createSigningKey,
} from '../../support/votes.ts';
import { endLedgers, keepBallotKey, startLedger } from './ledger-under-test.ts';
import { differences } from './log-of-votes.ts';

const database = await createTestDatabase();
const topics = await createTestTopics();
const { prefix, brokers } = topics;
const standby = topicName(prefix, 'vote-standby');
const admin = database.pool('postgres');
const producer = createProducer({ brokers, clientId: 'test' });
afterAll(async () => {
  await endLedgers();
  await producer.close();
});

test('copies of a region are sealed always, and counted once that region is lost', async () => {
  const key = createSigningKey();
  await keepBallotKey(admin, key);
  const session = await createSession(admin, { closesInMs: -6000 });
  const { rows } = await admin.query<{ closes_at: Date }>(
    'SELECT closes_at FROM votes.voting_sessions',
  );
  const at = rows[0]!.closes_at.getTime() - 100;
  const vote = (topic: string, partition: number) => ({
    topic,
    partition,
    ...createRecord(key, createBallot(session.sessionId), 1, at),
  });
  await producer.send({ messages: [vote(topicName(prefix, 'vote-submitted'), 0)] });
  await producer.send({ messages: [vote(standby, 0), vote(standby, 0)] });
  await producer.send({ messages: [vote(standby, 29)] });
  // The other region is known, and was never heard of since.
  await regionNo(admin, 'us-west-2');
  await startLedger(database, topics, { region: 'us-east-1', standbyOf: 'us-west-2' });

  const counted = async (): Promise<number> => {
    const { rows: sums } = await admin.query<{ votes: number }>(
      'SELECT count(*) AS votes FROM votes.votes',
    );
    return sums[0]!.votes;
  };
  await vi.waitFor(
    async () => {
      // 3 copies and 30 seals lie in the standby, none of them read.
      const ends = await readLogBounds({ brokers, clientId: 'test' }, standby, 'latest');
      expect(ends.reduce((sum, end) => sum + end, 0)).toBe(33);
    },
    { timeout: 15_000, interval: 200 },
  );
  expect(await counted()).toBe(1);
  const sealed = async (): Promise<unknown> =>
    (await admin.query<{ sealed_at: Date | null }>('SELECT sealed_at FROM votes.voting_sessions'))
      .rows[0]!.sealed_at;
  expect(await sealed()).toBeNull();

  await admin.query("SELECT votes.declare_lost('us-west-2', 1, '\\x00')");
  await vi.waitFor(async () => expect(await sealed()).not.toBeNull(), {
    timeout: 15_000,
    interval: 50,
  });
  expect(await counted()).toBe(4);
  expect(await differences(admin)).toEqual([]);
}, 60_000);
