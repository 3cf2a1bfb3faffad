import { afterAll, describe, expect, test } from 'vitest';
import { topicName } from '#common/contracts/topics.ts';
import { voteRecordKey } from '#common/contracts/vote-submitted.ts';
import { createAdmin, createProducer } from '#common/kafka.ts';
import { reportBalance } from '../../../local/cli/balance.ts';
import { createTestDatabase } from '../../support/database.ts';
import { createTestTopics } from '../../support/topics.ts';
import { createSession } from '../../support/votes.ts';

const database = await createTestDatabase();
const { prefix, brokers } = await createTestTopics();
const pool = database.pool('postgres', 1);
const producer = createProducer({ brokers, clientId: 'test' });
const kafkaAdmin = createAdmin({ brokers, clientId: 'test' });
afterAll(async () => {
  await kafkaAdmin.close();
  await producer.close();
});

const stores = {
  postgres: database.url('records'),
  regions: [{ name: 'us-east-1', kafka: brokers[0]! }],
  topicPrefix: prefix,
};

async function send(sessionId: string, partition: number, records: number): Promise<void> {
  const message = {
    topic: topicName(prefix, 'vote-submitted'),
    partition,
    key: voteRecordKey(sessionId),
    value: Buffer.alloc(125),
  };
  await producer.send({ messages: Array.from({ length: records }, () => message), acks: -1 });
}

async function judge(sessionNo: number, partition: number, next: number, counted: number) {
  await pool.query(
    `INSERT INTO votes.offsets (region_no, partition, cluster_id, topic_id, next_offset)
     VALUES (votes.region_no('us-east-1'), $1, 'cluster', gen_random_uuid(), $2)
     ON CONFLICT (region_no, partition) DO UPDATE SET next_offset = excluded.next_offset`,
    [partition, next],
  );
  await pool.query(
    `INSERT INTO votes.verdicts (session_no, region_no, partition, counted, next_offset)
     VALUES ($1, votes.region_no('us-east-1'), $2, $3, $4)
     ON CONFLICT (session_no, region_no, partition) DO UPDATE SET counted = excluded.counted`,
    [sessionNo, partition, counted, next],
  );
}

test('accepted comes from the log, and every partition is checked by itself', async () => {
  const session = await createSession(pool);
  const other = await createSession(pool);
  await send(session.sessionId, 3, 40);
  await send(other.sessionId, 3, 5);
  await send(session.sessionId, 3, 10);
  await send(session.sessionId, 9, 7);
  await judge(session.sessionNo, 3, 45, 40);

  const report = await reportBalance(stores, session.sessionId);
  expect(report.faults).toEqual([]);
  expect(report.balance).toMatchObject({ accepted: 57, counted: 40, pending: 17 });

  await judge(session.sessionNo, 3, 45, 39);
  const off = await reportBalance(stores, session.sessionId);
  expect(off.faults).toEqual([
    'us-east-1, partition 3, before offset 45: the log holds 40 records and the ledger judged 39',
  ]);
});

describe('a log that has dropped its first records', () => {
  async function drop(partition: number, before: number): Promise<void> {
    const name = topicName(prefix, 'vote-submitted');
    const partitions = [{ partition, offset: BigInt(before) }];
    await kafkaAdmin.deleteRecords({ topics: [{ name, partitions }] });
  }

  test('is counted from its start for a session whose records cannot be among them', async () => {
    const gone = await createSession(pool);
    const session = await createSession(pool);
    await send(gone.sessionId, 12, 5);
    await drop(12, 5);
    await send(session.sessionId, 12, 8);
    await judge(session.sessionNo, 12, 11, 6);
    const report = await reportBalance(stores, session.sessionId);
    expect(report.faults).toEqual([]);
    expect(report.balance).toMatchObject({ accepted: 8, counted: 6, pending: 2 });
  });

  test('is not counted for a session that had opened before', async () => {
    const session = await createSession(pool);
    await send(session.sessionId, 14, 5);
    await drop(14, 2);
    await pool.query(
      `UPDATE votes.voting_sessions SET opens_at = now() - interval '9 days'
       WHERE session_no = $1`,
      [session.sessionNo],
    );
    await expect(reportBalance(stores, session.sessionId)).rejects.toThrow(
      /^Partition 1[24] begins after the session opened: some of its records may be gone/,
    );
  });
});

test('a session that is not there is told so', async () => {
  const unknown = '3b241101-e2bb-4255-8caf-4136c566a962';
  await expect(reportBalance(stores, unknown)).rejects.toThrow(`There is no session ${unknown}.`);
});
