import { randomUUID } from 'node:crypto';
import { expect, test } from 'vitest';
import { sleep } from '#common/clock.ts';
import { ResultDigest } from '#common/contracts/digest.ts';
import { uuidToBytes } from '#common/uuid.ts';
import { listUnsealed } from '../../../regional-core/ledger/sql/list-unsealed.ts';
import { recount } from '../../../regional-core/ledger/sql/recount.ts';
import { settleSession } from '../../../regional-core/ledger/sql/settle-session.ts';
import { standbyNo } from '../../../regional-core/ledger/sql/standby-no.ts';
import { createTestDatabase } from '../../support/database.ts';
import { createBallot, createSession } from '../../support/votes.ts';
import { differences, LogOfVotes, sealOf, settleSessions, voteOf } from './log-of-votes.ts';

const unending = new AbortController().signal;
const database = await createTestDatabase();
const [ledger, admin] = [database.pool('ledger', 4), database.pool('postgres', 4)];

const here = await LogOfVotes.open(ledger, 'us-east-1', 2);
const there = await LogOfVotes.open(ledger, 'us-west-2', 2);

/** A session that closed a while ago, and the time at which it did. */
async function closedSession() {
  const session = await createSession(admin, { closesInMs: -30_000 });
  const { rows } = await admin.query<{ closes_at: Date }>(
    'SELECT closes_at FROM votes.voting_sessions WHERE session_no = $1',
    [session.sessionNo],
  );
  const closesAtMs = rows[0]!.closes_at.getTime();
  const seal = (of: LogOfVotes, partition: number) =>
    sealOf(session.sessionId, of.name, partition, closesAtMs);
  const voter = () => createBallot(session.sessionId).vote_id;
  const vote = (voteId: string, optionNo: number, beforeMs = 1000) =>
    voteOf(session.sessionId, voteId, optionNo, closesAtMs - beforeMs);
  return { ...session, closesAtMs, seal, voter, vote };
}

async function sealAll(session: Awaited<ReturnType<typeof closedSession>>) {
  for (const of of [here, there]) {
    await of.count([0, 1].map((partition) => [partition, session.seal(of, partition)]));
  }
}

async function rowsOf(sessionNo: number) {
  const { rows } = await admin.query<{ vote_id: string; option_no: number; accepted_at: Date }>(
    'SELECT vote_id, option_no, accepted_at FROM votes.votes WHERE session_no = $1 ORDER BY 1',
    [sessionNo],
  );
  return rows;
}

test('what lies behind the first seal of its partition is late, in the same batch too', async () => {
  const session = await closedSession();
  const [first, second, third, fourth] = [1, 2, 3, 4].map(session.voter);
  const verdicts = await here.count([
    [0, session.vote(first!, 0), session.seal(here, 0), session.vote(second!, 0)],
    [1, session.vote(third!, 1)],
  ]);
  expect(verdicts).toMatchObject({ counted: 2, late: 1, control: 1 });
  const later = await here.count([
    [0, session.vote(fourth!, 1), session.vote(first!, 0)],
    [1, session.vote(fourth!, 2)],
  ]);
  expect(later).toMatchObject({ counted: 1, late: 2, replayed: 0, control: 0 });
  expect(new Set((await rowsOf(session.sessionNo)).map((row) => row.vote_id))).toEqual(
    new Set([first, third, fourth]),
  );
  const { rows } = await admin.query(
    `SELECT partition, first_offset, control FROM votes.verdicts
     WHERE session_no = $1 AND region_no = $2 ORDER BY 1`,
    [session.sessionNo, here.identity.regionNo],
  );
  expect(rows).toEqual([
    { partition: 0, first_offset: here.next[0]! - 5, control: 1 },
    { partition: 1, first_offset: here.next[1]! - 2, control: 0 },
  ]);
  await sealAll(session);
  expect(await differences(admin)).toEqual([]);
});

test('a second seal changes nothing; one for another closing time is no seal', async () => {
  const session = await closedSession();
  await here.count([[0, session.seal(here, 0)]]);
  const place = async () =>
    (
      await admin.query('SELECT "offset" FROM votes.seals WHERE session_no = $1', [
        session.sessionNo,
      ])
    ).rows;
  const first = await place();
  expect(first).toHaveLength(1);
  expect(await here.count([[0, session.seal(here, 0)]])).toMatchObject({ control: 1 });
  expect(await place()).toEqual(first);
  const other = sealOf(session.sessionId, here.name, 1, session.closesAtMs - 60_000);
  expect(await here.count([[1, other]])).toMatchObject({ control: 0, quarantined: 1 });
  expect(await place()).toEqual(first);
  await sealAll(session);
  expect(await differences(admin)).toEqual([]);
});

test('a session is settled once every live partition was read through its seal', async () => {
  const session = await closedSession();
  await settleSessions(ledger);
  const unsealed = () => listUnsealed(ledger, here.identity.regionNo, [0, 1], 5000);
  expect((await unsealed()).find(({ sessionId }) => sessionId === session.sessionId)).toEqual({
    sessionId: session.sessionId,
    version: 1,
    closesAtMs: session.closesAtMs,
    partitions: [0, 1],
  });
  await here.count([
    [0, session.seal(here, 0)],
    [1, session.seal(here, 1)],
  ]);
  await there.count([[0, session.seal(there, 0)]]);
  expect(await settleSessions(ledger)).toEqual([]);
  await there.count([[1, session.seal(there, 1)]]);
  expect(await settleSessions(ledger)).toEqual([session.sessionId]);
  expect(await settleSessions(ledger)).toEqual([]);
  expect((await unsealed()).map(({ sessionId }) => sessionId)).not.toContain(session.sessionId);
});

test('two workers that settle at once settle a session once', async () => {
  const session = await closedSession();
  await sealAll(session);
  const settled = await Promise.all([1, 2, 3].map(() => settleSessions(ledger)));
  expect(settled.flat()).toEqual([session.sessionId]);
});

test('the earliest choice wins at the seal, and counts move in a row of their own', async () => {
  const session = await closedSession();
  const [early, tie, same] = [session.voter(), session.voter(), session.voter()];
  await here.count([[0, session.vote(early, 0, 100), session.vote(tie, 2, 50)]]);
  await here.count([[0, session.vote(same, 1, 10)]]);
  await there.count([[1, session.vote(early, 1, 200), session.vote(tie, 1, 50)]]);
  await there.count([[0, session.vote(same, 1, 20), session.vote(session.voter(), 2, 1)]]);
  await sealAll(session);
  expect(await settleSessions(ledger)).toEqual([session.sessionId]);
  const rows = await rowsOf(session.sessionNo);
  const chosen = (voter: string) => rows.find((row) => row.vote_id === voter);
  expect(chosen(early)).toMatchObject({
    option_no: 1,
    accepted_at: new Date(session.closesAtMs - 200),
  });
  // At the same millisecond the option's id decides: option-1 before option-2.
  expect(chosen(tie)).toMatchObject({ option_no: 1 });
  expect(chosen(same)).toMatchObject({
    option_no: 1,
    accepted_at: new Date(session.closesAtMs - 20),
  });
  const { rows: corrections } = await admin.query(
    `SELECT option_no, votes FROM votes.tallies
     WHERE session_no = $1 AND partition = -1 ORDER BY 1`,
    [session.sessionNo],
  );
  expect(corrections).toEqual([
    { option_no: 0, votes: -1 },
    { option_no: 1, votes: 2 },
    { option_no: 2, votes: -1 },
  ]);
  expect(await differences(admin)).toEqual([]);
  const { rows: written } = await admin.query(
    'SELECT kind, moved FROM votes.corrections WHERE session_no = $1',
    [session.sessionNo],
  );
  expect(written).toEqual([{ kind: 'seal', moved: 2 }]);
});

test('the digest in Postgres is the one of the contract', async () => {
  const session = await closedSession();
  const digest = new ResultDigest();
  const votes = Array.from({ length: 300 }, (_, at) => ({ voter: session.voter(), at: at % 3 }));
  await here.count([[0, ...votes.map(({ voter, at }) => session.vote(voter, at, 1 + at * 7))]]);
  for (const { voter, at } of votes) {
    digest.add({
      voteId: uuidToBytes(voter),
      optionId: `option-${at}`,
      acceptedAtMs: session.closesAtMs - 1 - at * 7,
    });
  }
  expect(await recount(ledger, session.sessionNo, unending)).toEqual({
    digest: digest.hex(),
    rows: [100, 100, 100],
    tallies: [100, 100, 100],
  });
  const empty = await closedSession();
  expect((await recount(ledger, empty.sessionNo, unending)).digest).toBe(new ResultDigest().hex());
  await sealAll(session);
  await sealAll(empty);
});

test('a partition that is added in mid-session is leased, counted and waited for', async () => {
  const session = await closedSession();
  await sealAll(session);
  there.next.push(0);
  await there.lease();
  expect(await settleSessions(ledger)).toEqual([]);
  const added = session.voter();
  await there.count([[2, session.vote(added, 1), session.seal(there, 2)]]);
  expect(await settleSessions(ledger)).toEqual([session.sessionId]);
  expect((await rowsOf(session.sessionNo)).map((row) => row.vote_id)).toEqual([added]);
});

test('a settled session takes no vote any more, wherever it lies', async () => {
  const session = await closedSession();
  await sealAll(session);
  await there.count([[2, session.seal(there, 2)]]);
  expect(await settleSessions(ledger)).toEqual([session.sessionId]);
  here.next.push(0);
  await here.lease();
  expect(await here.count([[2, session.vote(session.voter(), 0)]])).toMatchObject({ late: 1 });
});

test('a copy of a vote that counts is no late vote of a settled session', async () => {
  const session = await closedSession();
  const voter = session.voter();
  await here.count([[0, session.vote(voter, 1)]]);
  await sealAll(session);
  for (const of of [here, there]) await of.count([[2, session.seal(of, 2)]]);
  expect(await settleSessions(ledger)).toEqual([session.sessionId]);
  // What was never sealed, as the standby of a region that is lost later.
  here.next.push(0);
  await here.lease();
  const copies = [session.vote(voter, 1), session.vote(voter, 2), session.vote(voter, 1, 999)];
  expect(await here.count([[3, ...copies]])).toMatchObject({ replayed: 1, late: 2, counted: 0 });
  expect(await differences(admin)).toEqual([]);
  here.next.pop();
  await admin.query('DELETE FROM votes.offsets WHERE partition = 3');
  await admin.query('DELETE FROM votes.verdicts WHERE partition = 3');
});

test('a partition that was added before closing is waited for, whoever has heard of it', async () => {
  const session = await closedSession();
  const sealedAtMs = Date.now() + 400;
  for (const of of [here, there]) {
    for (const partition of of.next.keys()) {
      const seal = sealOf(session.sessionId, of.name, partition, session.closesAtMs, sealedAtMs);
      await of.count([[partition, seal]]);
    }
  }
  expect(await settleSessions(ledger)).toEqual([]);
  // Asked before the seals, or by a clock that runs ahead: nothing is known of the time between.
  const known = there.next.length;
  await there.lease(1, { partitions: known, readAtMs: sealedAtMs - 1 });
  await there.lease(1, { partitions: known, readAtMs: Date.now() + 3_600_000 });
  expect(await settleSessions(ledger)).toEqual([]);
  await sleep(410);
  await here.lease();
  expect(await settleSessions(ledger)).toEqual([]);
  // Now it is found: its vote was answered before the session closed.
  there.next.push(0);
  await there.lease();
  expect(await settleSessions(ledger)).toEqual([]);
  const added = session.voter();
  await there.count([[known, session.vote(added, 1), session.seal(there, known)]]);
  expect(await settleSessions(ledger)).toEqual([session.sessionId]);
  expect((await rowsOf(session.sessionNo)).map((row) => row.vote_id)).toEqual([added]);
});

test('a session that is being settled, or cannot be, keeps no other from it', async () => {
  const sessions = [await closedSession(), await closedSession(), await closedSession()];
  for (const session of sessions) {
    for (const of of [here, there]) {
      for (const partition of of.next.keys()) {
        await of.count([[partition, session.seal(of, partition)]]);
      }
    }
  }
  const [held, broken, good] = sessions.map(({ sessionId }) => sessionId);
  const spoil = "INSERT INTO votes.corrections (session_no, kind, moved) VALUES ($1, 'seal', 0)";
  await admin.query(spoil, [sessions[1]!.sessionNo]);
  const other = await admin.connect();
  await other.query('BEGIN');
  await other.query('SELECT FROM votes.voting_sessions WHERE session_id = $1 FOR UPDATE', [held]);
  expect(await settleSession(ledger, held!, unending)).toBe(false);
  await expect(settleSession(ledger, broken!, unending)).rejects.toThrow('corrections_pkey');
  expect(await settleSession(ledger, good!, unending)).toBe(true);
  await other.query('COMMIT');
  other.release();
  await admin.query('DELETE FROM votes.corrections WHERE session_no = $1', [
    sessions[1]!.sessionNo,
  ]);
  expect(new Set(await settleSessions(ledger))).toEqual(new Set([held, broken]));
});

test('a database of a lower epoch is refused, and an offset beyond 2^53 - 1', async () => {
  const session = await createSession(admin);
  const vote = voteOf(session.sessionId, createBallot(session.sessionId).vote_id, 0);
  await expect(here.count([[0, vote]], 2)).rejects.toMatchObject({ code: 'VT001' });
  await expect(here.lease(2)).rejects.toMatchObject({ code: 'VT001' });
  const limit = 2 ** 53 - 1;
  const set = (votes: number) =>
    admin.query(
      `INSERT INTO votes.tallies (session_no, option_no, region_no, partition, votes)
       VALUES ($1, 0, $2, 0, $3) ON CONFLICT (session_no, option_no, region_no, partition)
       DO UPDATE SET votes = excluded.votes`,
      [session.sessionNo, here.identity.regionNo, votes],
    );
  await set(2 ** 31 - 1);
  expect(await here.count([[0, vote]])).toMatchObject({ counted: 1 });
  const tally = async () =>
    (
      await admin.query('SELECT votes FROM votes.tallies WHERE session_no = $1', [
        session.sessionNo,
      ])
    ).rows;
  expect(await tally()).toEqual([{ votes: 2 ** 31 }]);
  await set(limit - 1);
  const next = () => voteOf(session.sessionId, createBallot(session.sessionId).vote_id, 0);
  expect(await here.count([[0, next()]])).toMatchObject({ counted: 1 });
  expect(await tally()).toEqual([{ votes: limit }]);
  await expect(here.count([[0, next()]])).rejects.toThrow('votes_are_exact');
  await admin.query('DELETE FROM votes.tallies WHERE session_no = $1', [session.sessionNo]);
  await admin.query('DELETE FROM votes.votes WHERE session_no = $1', [session.sessionNo]);
});

test('a lost region is never read again; its standby is, from then on, to its own seal', async () => {
  const session = await closedSession();
  const standby = await LogOfVotes.openAs(
    ledger,
    'us-west-2@us-east-1',
    await standbyNo(ledger, 'us-west-2', 'us-east-1'),
    2,
  );
  const [counted, copied] = [session.voter(), session.voter()];
  await there.count([[0, session.vote(counted, 0)]]);
  expect((await standby.lease()).positions.size).toBe(0);
  await expect(standby.count([[0, session.vote(copied, 1)]])).rejects.toMatchObject({
    code: 'VT002',
  });
  await admin.query("SELECT votes.declare_lost('us-west-2', 1, '\\x00')");
  await expect(there.count([[0, session.vote(copied, 1)]])).rejects.toMatchObject({
    code: 'VT002',
  });
  await expect(there.lease()).rejects.toMatchObject({ code: 'VT002' });
  for (const partition of here.next.keys()) {
    await here.count([[partition, session.seal(here, partition)]]);
  }
  expect(await settleSessions(ledger)).toEqual([]);
  const held = await standby.lease(2);
  expect([held.epoch, [...held.positions.keys()]]).toEqual([2, [0, 1]]);
  expect(
    await standby.count([[0, session.vote(counted, 0), session.vote(copied, 1)]], 2),
  ).toMatchObject({ counted: 1, replayed: 1 });
  for (const partition of [0, 1]) {
    await standby.count([[partition, session.seal(standby, partition)]], 2);
  }
  expect(await settleSessions(ledger)).toEqual([session.sessionId]);
  expect(await rowsOf(session.sessionNo)).toHaveLength(2);
  expect(await differences(admin)).toEqual([]);
});

test('the ledger settles by one function and cannot change a counted vote otherwise', async () => {
  const id = randomUUID();
  await expect(
    ledger.query('UPDATE votes.votes SET option_no = 0 WHERE vote_id = $1', [id]),
  ).rejects.toThrow('permission denied');
  await expect(ledger.query('UPDATE votes.voting_sessions SET sealed_at = now()')).rejects.toThrow(
    'permission denied',
  );
  await expect(ledger.query('SELECT votes.settle_session(1)')).rejects.toThrow('permission denied');
});
