import { afterAll, expect, test, vi } from 'vitest';
import { topicName } from '#common/contracts/topics.ts';
import { createProducer } from '#common/kafka.ts';
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
const admin = database.pool('postgres');
const producer = createProducer({ brokers, clientId: 'test' });
afterAll(async () => {
  await endLedgers();
  await producer.close();
});

test('a fail-over that loses what a ledger wrote at its start stops neither seals nor counting', async () => {
  const key = createSigningKey();
  await keepBallotKey(admin, key);
  const ledger = await startLedger(database, topics);
  await vi.waitFor(() => expect(ledger.notReady()).toEqual([]), 15_000);
  await admin.query(`BEGIN; DELETE FROM votes.seal_keys; DELETE FROM votes.offsets;
    DELETE FROM votes.leases; DELETE FROM votes.workers; DELETE FROM votes.regions; COMMIT`);
  const session = await createSession(admin, { closesInMs: -6000 });
  const topic = topicName(prefix, 'vote-submitted');
  const vote = createRecord(key, createBallot(session.sessionId), 1, Date.now() - 7000);
  await producer.send({ messages: [{ topic, partition: 3, ...vote }] });
  await vi.waitFor(
    async () => {
      const { rows } = await admin.query<{ is_sealed: boolean; votes: number }>(
        `SELECT sealed_at IS NOT NULL AS is_sealed, (SELECT count(*) FROM votes.votes) AS votes
         FROM votes.voting_sessions`,
      );
      expect(rows).toEqual([{ is_sealed: true, votes: 1 }]);
    },
    { timeout: 20_000, interval: 100 },
  );
  const { rows } = await admin.query('SELECT reason FROM votes.quarantined_records');
  expect(rows).toEqual([]);
  expect(await differences(admin)).toEqual([]);
}, 60_000);
