import { randomUUID } from 'node:crypto';
import { expect, test } from 'vitest';
import { regionNo } from '#common/region-no.ts';
import { countBatch, type LogIdentity } from '../../../regional-core/ledger/sql/count-batch.ts';
import { leasePartitions } from '../../../regional-core/ledger/sql/lease-partitions.ts';
import { createTestDatabase } from '../../support/database.ts';
import { createBallot, createSession } from '../../support/votes.ts';
import { batchOf, layoutOf, partOf as part, voteOf as vote } from './log-of-votes.ts';

const database = await createTestDatabase();
const ledger = database.pool('ledger', 4);
const admin = database.pool('postgres', 4);

const clusterId = 'cluster';
const topicId = randomUUID();
let regions = 0;

/** A region of its own for each test: its offsets start at 0. */
async function newRegion(): Promise<LogIdentity> {
  const identity = { regionNo: await regionNo(ledger, `region-${regions++}`), clusterId, topicId };
  await leasePartitions(ledger, identity, {
    id: randomUUID(),
    layout: layoutOf(4),
    ttlMs: 5000,
    epochMin: 1,
  });
  return identity;
}

async function votesOf(sessionNo: number) {
  const { rows } = await admin.query(
    `SELECT vote_id, option_no, partition, "offset" FROM votes.votes
     WHERE session_no = $1 ORDER BY vote_id`,
    [sessionNo],
  );
  return rows;
}

/** tallies = rows, and verdicts = offsets read: what must hold after every call. */
async function recount(identity: LogIdentity, sessionNo: number) {
  const { rows: wrong } = await admin.query(
    `SELECT t.option_no, t.votes, c.votes AS rows FROM
       (SELECT option_no, sum(votes) AS votes FROM votes.tallies WHERE session_no = $1 GROUP BY 1) t
       FULL JOIN
       (SELECT option_no, count(*) AS votes FROM votes.votes WHERE session_no = $1 GROUP BY 1) c
       USING (option_no) WHERE t.votes IS DISTINCT FROM c.votes`,
    [sessionNo],
  );
  expect(wrong, 'tallies that differ from the rows').toEqual([]);
  const { rows: sums } = await admin.query(
    `SELECT partition, next_offset, coalesce(verdicts, 0) AS verdicts FROM votes.offsets
     LEFT JOIN (
       SELECT partition,
         sum(counted + duplicate + replayed + late + quarantined)::bigint AS verdicts
       FROM votes.verdicts WHERE region_no = $1 GROUP BY 1) v USING (partition)
     WHERE region_no = $1 AND next_offset <> coalesce(verdicts, 0)`,
    [identity.regionNo],
  );
  expect(sums, 'partitions whose verdicts do not add up to the offsets').toEqual([]);
}

test('counts each voter once and says how every record of a batch ended', async () => {
  const identity = await newRegion();
  const { sessionId, sessionNo } = await createSession(admin);
  const [first, second] = [createBallot(sessionId).vote_id, createBallot(sessionId).vote_id];
  const at = Date.now();
  const batch = batchOf([
    part(0, 0, [vote(sessionId, first, 1, at), vote(sessionId, first, 1, at + 5)]),
    part(1, 0, [vote(sessionId, first, 2, at + 1), vote(sessionId, second, 0, at)]),
    part(2, 0, [vote(sessionId, createBallot(sessionId).vote_id, 7, at)]),
    part(3, 0, [{ key: Buffer.from('?'), value: Buffer.from('not a vote') }]),
  ]);
  expect(await countBatch(ledger, identity, 1, batch)).toEqual({
    fenced: false,
    counted: 2,
    duplicate: 1,
    replayed: 1,
    late: 0,
    quarantined: 2,
    control: 0,
  });
  const counted = await votesOf(sessionNo);
  expect(counted).toHaveLength(2);
  expect(counted.find(({ vote_id }) => vote_id === first)).toMatchObject({
    option_no: 1,
    partition: 0,
    offset: 0,
  });
  const conflicts = await admin.query(
    'SELECT vote_id, option_no FROM votes.vote_conflicts WHERE session_no = $1',
    [sessionNo],
  );
  expect(conflicts.rows).toEqual([{ vote_id: first, option_no: 2 }]);
  const quarantined = await admin.query(
    `SELECT reason, record_value FROM votes.quarantined_records WHERE region_no = $1
     ORDER BY partition`,
    [identity.regionNo],
  );
  expect(quarantined.rows).toEqual([
    { reason: 'unknown option', record_value: null },
    { reason: 'key is not a session id', record_value: Buffer.from('not a vote') },
  ]);
  await recount(identity, sessionNo);
});

test('a batch sent twice is fenced the second time and changes nothing', async () => {
  const identity = await newRegion();
  const { sessionId, sessionNo } = await createSession(admin);
  const batch = batchOf([part(0, 0, [vote(sessionId, createBallot(sessionId).vote_id, 0)])]);
  expect(await countBatch(ledger, identity, 1, batch)).toMatchObject({ fenced: false, counted: 1 });
  expect(await countBatch(ledger, identity, 1, batch)).toMatchObject({ fenced: true, counted: 0 });
  await recount(identity, sessionNo);
});

test('of two workers with the same partition, one counts and the other is fenced', async () => {
  const identity = await newRegion();
  const { sessionId, sessionNo } = await createSession(admin);
  const sent = Array.from({ length: 200 }, () =>
    vote(sessionId, createBallot(sessionId).vote_id, 0),
  );
  const batch = batchOf([part(0, 0, sent)]);
  const results = await Promise.all([
    countBatch(ledger, identity, 1, batch),
    countBatch(ledger, identity, 1, batch),
  ]);
  expect(results.filter(({ fenced }) => fenced)).toHaveLength(1);
  expect(await votesOf(sessionNo)).toHaveLength(200);
  await recount(identity, sessionNo);
});

test('batches with the same voters in opposite order do not lock each other out', async () => {
  const [here, there] = [await newRegion(), await newRegion()];
  const { sessionId, sessionNo } = await createSession(admin);
  const voters = Array.from({ length: 500 }, () => createBallot(sessionId).vote_id);
  for (let round = 0; round < 4; round++) {
    const forwards = voters.map((voter) => vote(sessionId, voter, 0));
    const backwards = voters.toReversed().map((voter) => vote(sessionId, voter, 1));
    const results = await Promise.all([
      countBatch(ledger, here, 1, batchOf([part(round, 0, forwards)])),
      countBatch(ledger, there, 1, batchOf([part(round, 0, backwards)])),
    ]);
    for (const result of results) expect(result).toMatchObject({ fenced: false });
  }
  expect(await votesOf(sessionNo)).toHaveLength(500);
  await recount(here, sessionNo);
  await recount(there, sessionNo);
});

test('a record admitted after closing is late: listed and not counted', async () => {
  const identity = await newRegion();
  const { sessionId, sessionNo } = await createSession(admin, { closesInMs: 1000 });
  const voter = createBallot(sessionId).vote_id;
  const late = vote(sessionId, voter, 0, Date.now() + 1500);
  const verdicts = await countBatch(ledger, identity, 1, batchOf([part(0, 0, [late])]));
  expect(verdicts).toMatchObject({ counted: 0, late: 1 });
  expect(await votesOf(sessionNo)).toEqual([]);
  const listed = await admin.query('SELECT vote_id FROM votes.late_votes WHERE session_no = $1', [
    sessionNo,
  ]);
  expect(listed.rows).toEqual([{ vote_id: voter }]);
  await recount(identity, sessionNo);
});

test('offsets of another topic, or a hole in a batch, are refused whole', async () => {
  const identity = await newRegion();
  const { sessionId, sessionNo } = await createSession(admin);
  const batch = batchOf([part(0, 0, [vote(sessionId, createBallot(sessionId).vote_id, 0)])]);
  const stranger = { ...identity, topicId: randomUUID() };
  expect(await countBatch(ledger, stranger, 1, batch)).toMatchObject({ fenced: true });
  await expect(
    leasePartitions(ledger, stranger, {
      id: randomUUID(),
      layout: layoutOf(4),
      ttlMs: 5000,
      epochMin: 1,
    }),
  ).rejects.toThrow(/belong to cluster/);
  const holed = { ...batch, partitions: { ...batch.partitions, next: [2] } };
  await expect(countBatch(ledger, identity, 1, holed)).rejects.toThrow(
    'batch spans 2 offsets but holds 1 records',
  );
  expect(await votesOf(sessionNo)).toEqual([]);
});

test('a record that was neither inserted nor has a winner is an error, never a duplicate', async () => {
  const identity = await newRegion();
  const { sessionId } = await createSession(admin);
  const { sessions, votes, partitions } = batchOf([
    part(0, 0, [vote(sessionId, createBallot(sessionId).vote_id, 0)]),
  ]);
  await expect(
    ledger.query(
      `SELECT votes.judge_rest($1, $2, $3, '{}', '{}', $4, $5, $6, $7, $8, $9, $10,
        '{}', '{}', '{}', '{}', '{}', '{}')`,
      [
        identity.regionNo,
        partitions.partition,
        partitions.next,
        sessions,
        votes.sessionAt,
        votes.voteId,
        votes.optionNo,
        votes.acceptedAtMs,
        votes.partition,
        votes.offset,
      ],
    ),
  ).rejects.toThrow('was not counted and has no winner');
});

test('the ledger may neither delete votes nor read who voted', async () => {
  await expect(ledger.query('DELETE FROM votes.votes')).rejects.toThrow('permission denied');
  await expect(ledger.query('UPDATE votes.votes SET option_no = 0')).rejects.toThrow(
    'permission denied',
  );
  await expect(ledger.query('CREATE TABLE identity.x ()')).rejects.toThrow('permission denied');
});

test('partitions are shared among live workers and taken over when one is gone', async () => {
  const identity = { regionNo: await regionNo(ledger, 'shared'), clusterId, topicId };
  const [one, two] = [randomUUID(), randomUUID()];
  const lease = (id: string, ttlMs: number) =>
    leasePartitions(ledger, identity, { id, layout: layoutOf(5), ttlMs, epochMin: 1 });
  expect([...(await lease(one, 300)).positions.keys()]).toEqual([0, 1, 2, 3, 4]);
  expect((await lease(two, 5000)).positions.size).toBe(0);
  expect((await lease(one, 300)).positions.size).toBe(3);
  expect((await lease(two, 5000)).positions.size).toBe(2);
  await new Promise((resolve) => setTimeout(resolve, 350));
  expect([...(await lease(two, 5000)).positions.keys()]).toEqual([0, 1, 2, 3, 4]);
});
