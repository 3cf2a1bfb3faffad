import { randomUUID } from 'node:crypto';
import { afterAll, expect, test, vi } from 'vitest';
import { actBody, actHash, signAct } from '#common/contracts/act.ts';
import { topicName } from '#common/contracts/topics.ts';
import { createProducer } from '#common/kafka.ts';
import type { SigningKey } from '#common/keys.ts';
import { type Pool } from '#common/postgres.ts';
import { recount } from '../../../regional-core/ledger/sql/recount.ts';
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

const topics = await createTestTopics();
const { prefix, brokers } = topics;
const topic = topicName(prefix, 'vote-submitted');
const [first, second] = [await createTestDatabase(), await createTestDatabase()];
const [admin, again] = [first.pool('postgres'), second.pool('postgres')];
const producer = createProducer({ brokers, clientId: 'test' });
afterAll(async () => {
  await endLedgers();
  await producer.close();
});

const ballotKey = createSigningKey();
const adminIds = [randomUUID(), randomUUID()];

async function append(partition: number, ...records: { key: Buffer; value: Buffer }[]) {
  await producer.send({ messages: records.map((record) => ({ topic, partition, ...record })) });
}

await keepBallotKey(admin, ballotKey);
const session = await createSession(admin, { closesInMs: -6000 });
const { rows: times } = await admin.query<{ closes_at: Date }>(
  'SELECT closes_at FROM votes.voting_sessions',
);
const closedAtMs = times[0]!.closes_at.getTime();
const voters = Array.from({ length: 20 }, () => createBallot(session.sessionId));

test('a forged record straight in Kafka is quarantined and never counted', async () => {
  const forger = createSigningKey();
  const votes = voters.map((ballot) => createRecord(ballotKey, ballot, 1, closedAtMs - 100));
  const unknown = createRecord(forger, createBallot(session.sessionId), 0, closedAtMs - 100);
  const stolen = createRecord(ballotKey, createBallot(session.sessionId), 0, closedAtMs - 100);
  // Another voter under somebody else's signature.
  createRecord(ballotKey, createBallot(session.sessionId), 0).value.copy(stolen.value, 1, 1, 17);
  await append(0, ...votes.slice(0, 10), unknown);
  await append(1, stolen, ...votes.slice(10));
  const ledger = await startLedger(first, topics);
  await vi.waitFor(() => expect(ledger.notReady()).toEqual([]), 15_000);
  await vi.waitFor(async () => {
    const { rows } = await admin.query<{ votes: number }>(
      'SELECT coalesce(sum(counted + quarantined), 0)::bigint AS votes FROM votes.verdicts',
    );
    expect(rows[0]!.votes).toBe(22);
  }, 15_000);
  const { rows } = await admin.query(
    'SELECT partition, reason, vote_id FROM votes.quarantined_records ORDER BY partition',
  );
  expect(rows).toEqual([
    { partition: 0, reason: 'ballot by an unknown key', vote_id: null },
    { partition: 1, reason: 'ballot signature is not valid', vote_id: null },
  ]);
});

test('the session that has closed is sealed in every partition and settled', async () => {
  await vi.waitFor(
    async () => {
      const { rows } = await admin.query<{ sealed_at: Date | null }>(
        'SELECT sealed_at FROM votes.voting_sessions',
      );
      expect(rows[0]!.sealed_at).not.toBeNull();
    },
    { timeout: 15_000, interval: 50 },
  );
  const { rows: seals } = await admin.query('SELECT kid FROM votes.seals');
  expect(seals).toHaveLength(30);
  await expectCounted(admin);
});

test('what two people agree on becomes final by standing in the log', async () => {
  const people = [createSigningKey(), createSigningKey()];
  await keepPeople(admin, people);
  const { digest, rows: counts } = await recount(
    admin,
    session.sessionNo,
    new AbortController().signal,
  );
  const body = actBody({
    act: 'finalise',
    session_id: session.sessionId,
    session_version: 2,
    digest,
    total: 20,
    counts,
    recounts: { rows: digest, tallies: 'equal', kafka: digest },
    covers: {},
  });
  const hash = Buffer.from(actHash(body), 'hex');
  await admin.query(
    `INSERT INTO votes.acts (act_hash, kind, body, proposed_by, agreed_at)
     VALUES ($1, 'finalise', $2, 'one', now())`,
    [hash, body],
  );
  for (const [at, person] of people.entries()) {
    const { kid, signature } = signAct(body, person);
    await admin.query(
      'INSERT INTO votes.act_signatures (act_hash, admin_id, kid, signature) VALUES ($1, $2, $3, $4)',
      [hash, adminIds[at], kid, Buffer.from(signature, 'base64url')],
    );
  }
  expect(await untilFinal(admin)).toContain(digest);

  // A database that has lost all of it: the log alone brings back the same result, and final.
  await keepBallotKey(again, ballotKey);
  await keepPeople(again, people);
  const copy = await createSession(again, {
    sessionId: session.sessionId,
    closesAt: new Date(closedAtMs),
  });
  await startLedger(second, topics);
  expect(await untilFinal(again)).toContain(digest);
  await expectCounted(again);
  expect((await recount(again, copy.sessionNo, new AbortController().signal)).digest).toBe(digest);
}, 60_000);

async function keepPeople(pool: Pool, people: readonly SigningKey[]): Promise<void> {
  for (const [at, { kid, publicJwk }] of people.entries()) {
    await pool.query(
      `INSERT INTO portal.admins (admin_id, email, password_hash, role)
       VALUES ($1, $2, '', 'admin')`,
      [adminIds[at], `admin-${at}@vote.example`],
    );
    await pool.query('INSERT INTO votes.approval_keys (kid, x, admin_id) VALUES ($1, $2, $3)', [
      kid,
      publicJwk.x,
      adminIds[at],
    ]);
  }
}

async function untilFinal(pool: Pool): Promise<string> {
  return vi.waitFor(
    async () => {
      const { rows } = await pool.query<{ final_statement: Buffer | null }>(
        'SELECT final_statement FROM votes.voting_sessions',
      );
      expect(rows[0]!.final_statement).not.toBeNull();
      return rows[0]!.final_statement!.toString();
    },
    { timeout: 20_000, interval: 50 },
  );
}

async function expectCounted(pool: Pool): Promise<void> {
  const { rows } = await pool.query<{ votes: number }>('SELECT count(*) AS votes FROM votes.votes');
  expect(rows[0]!.votes).toBe(20);
  expect(await differences(pool)).toEqual([]);
}
