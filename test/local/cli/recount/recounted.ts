import { afterAll, beforeAll } from 'vitest';
import type { Ballot } from '#common/contracts/ballot-token.ts';
import { topicName } from '#common/contracts/topics.ts';
import { createProducer } from '#common/kafka.ts';
import { createTestDatabase } from '../../../support/database.ts';
import { createTestTopics } from '../../../support/topics.ts';
import {
  createBallot,
  createRecord,
  createSigningKey,
  type TestSession,
} from '../../../support/votes.ts';

/** Logs and a database to recount: what the ledger would have written is written here. */
const database = await createTestDatabase();
const topics = await createTestTopics();
export const { prefix } = topics;
export const pool = database.pool('postgres');
export const producer = createProducer({ brokers: topics.brokers, clientId: 'test' });
afterAll(() => producer.close());

export const key = createSigningKey();
export const stranger = createSigningKey();
export const stores = {
  postgres: database.url('records'),
  regions: [{ name: 'us-east-1', kafka: topics.brokers[0]! }],
  topicPrefix: prefix,
};
const startMs = Date.now() - 30_000;

type Topic = 'vote-submitted' | 'vote-standby';

export interface Sent {
  readonly ballot: Ballot;
  readonly option: number;
  readonly atMs: number;
  readonly partition: number;
  readonly signer?: typeof key;
}

/** Gives, by partition, where the first of them lies. */
export async function send(
  records: readonly Sent[],
  topic: Topic = 'vote-submitted',
): Promise<ReadonlyMap<number, number>> {
  const messages = records.map(({ ballot, option, atMs, partition, signer = key }) => ({
    topic: topicName(prefix, topic),
    partition,
    ...createRecord(signer, ballot, option, atMs),
  }));
  const sent = await producer.send({ messages, acks: -1 });
  return new Map(sent.offsets!.map(({ partition, offset }) => [partition, Number(offset)]));
}

/** What the ledger would have written about votes of a region. */
export async function count(
  session: TestSession,
  region: string,
  votes: readonly Sent[],
): Promise<void> {
  const region_no = `votes.region_no('${region}')`;
  await pool.query(
    `INSERT INTO votes.votes
       (session_no, vote_id, option_no, region_no, partition, "offset", accepted_at)
     SELECT $1, vote_id, option_no, ${region_no}, 0, 0, to_timestamp(at / 1000.0)
     FROM unnest($2::uuid[], $3::int[], $4::bigint[]) AS vote(vote_id, option_no, at)`,
    [
      session.sessionNo,
      votes.map(({ ballot }) => ballot.vote_id),
      votes.map(({ option }) => option),
      votes.map(({ atMs }) => atMs),
    ],
  );
  await pool.query(
    `INSERT INTO votes.tallies (session_no, option_no, region_no, partition, votes)
     SELECT $1, option_no, ${region_no}, 0, count(*) FROM unnest($2::int[]) AS vote(option_no)
     GROUP BY option_no`,
    [session.sessionNo, votes.map(({ option }) => option)],
  );
  await pool.query(
    `INSERT INTO votes.offsets (region_no, partition, cluster_id, topic_id, next_offset)
     SELECT ${region_no}, partition, 'cluster', gen_random_uuid(), 1000
     FROM generate_series(0, 29) AS partition ON CONFLICT DO NOTHING`,
  );
}

export const vote = (session: TestSession, option: number, at: number): Sent => ({
  ballot: createBallot(session.sessionId),
  option,
  atMs: startMs + at,
  partition: at % 30,
});

beforeAll(async () => {
  await pool.query('INSERT INTO votes.ballot_keys (kid, x) VALUES ($1, $2)', [
    key.kid,
    key.publicJwk.x,
  ]);
});
