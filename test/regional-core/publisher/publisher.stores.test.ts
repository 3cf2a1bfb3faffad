import { randomUUID } from 'node:crypto';
import { afterAll, expect, test } from 'vitest';
import { sleep } from '#common/clock.ts';
import { copiesWaitMsMax } from '#common/copies.ts';
import { regionNo } from '#common/region-no.ts';
import { decodeRecords, toCountBatch } from '../../../regional-core/ledger/batch.ts';
import { countBatch } from '../../../regional-core/ledger/sql/count-batch.ts';
import { leasePartitions } from '../../../regional-core/ledger/sql/lease-partitions.ts';
import {
  createBallot,
  createRecord,
  createSession,
  createSigningKey,
} from '../../support/votes.ts';
import { layoutOf } from '../ledger/log-of-votes.ts';
import { publisherUnderTest, until } from './publisher-under-test.ts';

const { pool, totals, sessions, others, startPublisher } = await publisherUnderTest();
const [admin, ledger] = [pool('postgres'), pool('ledger')];

const key = createSigningKey();
await admin.query('INSERT INTO votes.ballot_keys (kid, x) VALUES ($1, $2)', [
  key.kid,
  key.publicJwk.x,
]);
const identity = {
  regionNo: await regionNo(ledger, 'us-east-1'),
  clusterId: 'cluster',
  topicId: randomUUID(),
};
await leasePartitions(ledger, identity, {
  id: randomUUID(),
  layout: layoutOf(2),
  ttlMs: 60_000,
  epochMin: 1,
});

let publisher = await startPublisher();
afterAll(() => publisher.stop());

let next = 0;
async function count(sessionId: string, optionNos: number[]): Promise<void> {
  const records = optionNos.map((optionNo, at) => ({
    offset: next + at,
    ...createRecord(key, createBallot(sessionId), optionNo),
  }));
  const end = next + records.length;
  const batch = toCountBatch(
    decodeRecords([{ partition: 0, from: next, next: end, logEnd: end, records }]),
  );
  await countBatch(ledger, identity, 1, batch);
  next = end;
}

test('tells a new session with zeros, and the keys of ballots', async () => {
  const { sessionId, sessionNo } = await createSession(admin);
  const message = await until(() => sessions.get(sessionId));
  expect(message).toMatchObject({ session_no: sessionNo, version: 1, epoch: 1 });
  expect(message.options).toHaveLength(3);
  const zeros = await until(() => totals.get(sessionId));
  expect(zeros).toMatchObject({ total_votes: 0, counts: [0, 0, 0] });
  expect(await until(() => others.get('ballot_keys'))).toMatchObject({ keys: [{ kid: key.kid }] });
});

test('totals are the tallies and the rows, and the sequence follows the offsets', async () => {
  const { sessionId, sessionNo } = await createSession(admin);
  await count(sessionId, [0, 0, 2, 1, 0]);
  const message = await until(() => {
    const held = totals.get(sessionId);
    return held?.total_votes === 5 && held;
  });
  expect(message.counts).toEqual([3, 1, 1]);
  expect(message.covers).toEqual({ 'us-east-1': [next, 0] });
  expect(message.sequence).toBe(2 ** 40 + next);
  const { rows } = await admin.query(
    `SELECT option_no, count(*) AS votes FROM votes.votes WHERE session_no = $1
     GROUP BY 1 ORDER BY 1`,
    [sessionNo],
  );
  expect((rows as { votes: number }[]).map(({ votes }) => votes)).toEqual(message.counts);
});

test('a change of the session is told with its version', async () => {
  const { sessionId } = await createSession(admin);
  await until(() => sessions.get(sessionId));
  await admin.query(
    `UPDATE votes.voting_sessions SET version = 2, closes_at = now() + interval '1 day'
     WHERE session_id = $1`,
    [sessionId],
  );
  const changed = await until(
    () => sessions.get(sessionId)?.version === 2 && sessions.get(sessionId)!,
  );
  expect(changed.closes_at_ms).toBeGreaterThan(Date.now() + 23 * 3_600_000);
});

test('hidden counts appear when the session closes, without another vote', async () => {
  const { sessionId, sessionNo } = await createSession(admin, { closesInMs: 2500 });
  await admin.query(
    `UPDATE votes.voting_sessions SET results_policy = 'after_close', version = 2
     WHERE session_no = $1`,
    [sessionNo],
  );
  await until(() => sessions.get(sessionId)?.results_policy === 'after_close');
  await count(sessionId, [1, 1]);
  const hidden = await until(
    () => totals.get(sessionId)?.total_votes === 2 && totals.get(sessionId)!,
  );
  expect(hidden.counts).toBeNull();
  const shown = await until(
    () => totals.get(sessionId)?.counts?.length === 3 && totals.get(sessionId)!,
  );
  expect(shown.counts).toEqual([0, 2, 0]);
});

test('results that are released days after closing appear', async () => {
  const { sessionId } = await createSession(admin);
  await count(sessionId, [2]);
  await until(() => totals.get(sessionId)?.total_votes === 1);
  await admin.query(
    `UPDATE votes.voting_sessions SET results_policy = 'on_release', version = 2
     WHERE session_id = $1`,
    [sessionId],
  );
  await until(() => totals.get(sessionId)?.counts === null);
  await admin.query(
    `UPDATE votes.voting_sessions SET version = 3, opens_at = now() - interval '4 days',
       closes_at = now() - interval '3 days', released_at = now()
     WHERE session_id = $1`,
    [sessionId],
  );
  const shown = await until(
    () => totals.get(sessionId)?.counts?.length === 3 && totals.get(sessionId)!,
  );
  expect(shown.counts).toEqual([0, 0, 1]);
});

test('a publisher that is started again goes on from what was told', async () => {
  const { sessionId } = await createSession(admin);
  await until(() => totals.get(sessionId));
  await publisher.stop();
  await count(sessionId, [2]);
  publisher = await startPublisher();
  const after = await until(
    () => totals.get(sessionId)?.total_votes === 1 && totals.get(sessionId)!,
  );
  expect(after.counts).toEqual([0, 0, 1]);
  await until(() => publisher.running.notReady().length === 0);
});

test('totals hold while the database is behind what was told', async () => {
  const { sessionId, sessionNo } = await createSession(admin);
  await count(sessionId, [0]);
  await until(() => totals.get(sessionId)?.total_votes === 1);
  // As after a fail-over that lost the last commits: offsets and rows fall back together.
  await admin.query('UPDATE votes.offsets SET next_offset = next_offset - 1 WHERE partition = 0');
  await until(() => publisher.running.notReady().includes('behind'));
  await sleep(500);
  expect(totals.get(sessionId)?.total_votes).toBe(1);
  // Counted again, another record of the voter came first: other totals at the same offsets.
  await admin.query('UPDATE votes.tallies SET option_no = 1 WHERE session_no = $1', [sessionNo]);
  await admin.query('UPDATE votes.offsets SET next_offset = next_offset + 1 WHERE partition = 0');
  await until(() => publisher.running.notReady().length === 0);
  const again = await until(
    () => totals.get(sessionId)?.counts?.[1] === 1 && totals.get(sessionId)!,
  );
  expect(again.corrected).toMatchObject([{ kind: 'replay', moved: 1 }]);
});

test('totals say which server they are of, and one behind it is not listened to', async () => {
  const { sessionId } = await createSession(admin);
  const { timeline } = await until(() => totals.get(sessionId));
  const { rows } = await admin.query('SELECT timeline_id FROM pg_control_checkpoint()');
  expect(timeline).toBe((rows as { timeline_id: number }[])[0]!.timeline_id);
});

test('a session is not told before a copy of the database has it; an earlier closing is', async () => {
  const known = await createSession(admin);
  await until(() => totals.get(known.sessionId));
  await publisher.stop();
  // No copy follows this database: one that is asked for never has anything.
  publisher = await startPublisher(1);
  const { sessionId } = await createSession(admin);
  await count(known.sessionId, [1]);
  await until(() => totals.get(known.sessionId)?.total_votes === 1);
  // Longer than the copies are waited for.
  await sleep(copiesWaitMsMax + 500);
  const closesAt = new Date(Date.now() + 60_000);
  await admin.query(
    'UPDATE votes.voting_sessions SET version = 2, closes_at = $2 WHERE session_id = $1',
    [known.sessionId, closesAt],
  );
  await until(() => sessions.get(known.sessionId)?.closes_at_ms === closesAt.getTime());
  expect(sessions.has(sessionId)).toBe(false);
  await publisher.stop();
  publisher = await startPublisher();
  await until(() => sessions.get(sessionId));
});
