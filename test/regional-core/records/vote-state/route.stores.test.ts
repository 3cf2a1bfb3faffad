import { describe, expect, test } from 'vitest';
import { confirm } from '#common/confirmation.ts';
import { readingGraceS, signBallot } from '#common/contracts/ballot-token.ts';
import { assembleReceipt, signReceipt } from '#common/contracts/receipt.ts';
import { createBallot, createSession, createSigningKey } from '../../../support/votes.ts';
import { ballotKey, receiptKey, startTestRecords } from '../test-records.ts';

const it = await startTestRecords();
const { superuser, records } = it;
const key = records.confirmationKey;
const session = await createSession(superuser);
// Other sessions that a code has to be looked for in, and what the ledger has read.
await createSession(superuser);
await superuser.query(`
  SELECT votes.region_no('us-east-1');
  INSERT INTO votes.offsets (region_no, partition, cluster_id, topic_id, next_offset)
  SELECT 1, n, 'cluster', gen_random_uuid(), CASE n WHEN 1 THEN 100 ELSE 0 END
  FROM generate_series(0, 2) AS n`);

const acceptedAtMs = Date.parse('2030-01-01T00:00:00.123Z');

function newVote(optionNo: number, offset = 50) {
  const ballot = createBallot(session.sessionId);
  const fields = {
    vote_id: ballot.vote_id,
    session_id: session.sessionId,
    commitment: confirm(key, ballot.vote_id, optionNo).commitment,
    acceptedAtMs,
    region: 'us-east-1',
    partition: 1,
    offset,
    durability: 'single',
  } as const;
  return {
    voteId: ballot.vote_id,
    ballot,
    authorization: `Bearer ${signBallot(ballot, ballotKey)}`,
    receipt: assembleReceipt(fields, receiptKey.kid, signReceipt(fields, receiptKey)),
    code: confirm(key, ballot.vote_id, optionNo).code,
  };
}

async function count(voteId: string, optionNo: number): Promise<void> {
  await superuser.query(
    `INSERT INTO votes.votes
       (session_no, vote_id, option_no, region_no, partition, "offset", accepted_at)
     VALUES ($1, $2, $3, 1, 1, 50, $4)`,
    [session.sessionNo, voteId, optionNo, new Date(acceptedAtMs)],
  );
}

async function missing(): Promise<number> {
  return (await records.metrics.votesMissing.get()).values[0]?.value ?? 0;
}

describe('a vote that counts', () => {
  test('is shown to the voter with the code of the row that counts', async () => {
    const vote = newVote(2);
    await count(vote.voteId, 2);
    const { authorization } = vote;
    const answer = await it.get(`/api/v1/votes/${vote.voteId}`, { authorization });
    expect(answer.status).toBe(200);
    expect(answer.body).toEqual({
      vote_id: vote.voteId,
      session_id: session.sessionId,
      status: 'counted',
      confirmation_code: vote.code,
      accepted_at: '2030-01-01T00:00:00.123Z',
      counted_at: expect.stringMatching(/^\d{4}-.*\.\d{3}Z$/),
      as_of: expect.stringMatching(/^\d{4}-.*\.\d{3}Z$/),
      covers: { 'us-east-1': [0, 100, 0] },
    });
    expect(answer.headers.get('cache-control')).toBe('no-store');
  });

  test('is shown under the prefix of the region too', async () => {
    const vote = newVote(2);
    await count(vote.voteId, 2);
    const { authorization } = vote;
    const answer = await it.get(`/r/us-east-1/api/v1/votes/${vote.voteId}`, { authorization });
    expect(answer.status).toBe(200);
  });

  test('is shown to the holder of the receipt, without its code', async () => {
    const vote = newVote(2);
    await count(vote.voteId, 2);
    const answer = await it.get(`/api/v1/votes/${vote.voteId}`, { 'vote-proof': vote.receipt });
    expect([answer.status, answer.body['as_cast']]).toEqual([200, true]);
    expect(answer.body).not.toHaveProperty('confirmation_code');
  });

  test('tells a receipt for another choice that an earlier one counts', async () => {
    const vote = newVote(2);
    await count(vote.voteId, 0);
    const answer = await it.get(`/api/v1/votes/${vote.voteId}`, { 'vote-proof': vote.receipt });
    expect([answer.status, answer.body['as_cast']]).toEqual([200, false]);
  });

  test('is shown to the holder of its confirmation code, whatever the session', async () => {
    const vote = newVote(2);
    await count(vote.voteId, 2);
    const proof = vote.code.toLowerCase();
    const answer = await it.get(`/api/v1/votes/${vote.voteId}`, { 'vote-proof': proof });
    expect(answer.body).toMatchObject({ as_cast: true, session_id: session.sessionId });
  });

  test('tells the code of a choice that lost so', async () => {
    const vote = newVote(2);
    await count(vote.voteId, 0);
    await superuser.query(
      `INSERT INTO votes.vote_conflicts
       VALUES ($1, $2, 1, 1, 60, 2, now())`,
      [session.sessionNo, vote.voteId],
    );
    const answer = await it.get(`/api/v1/votes/${vote.voteId}`, { 'vote-proof': vote.code });
    expect([answer.status, answer.body['as_cast']]).toEqual([200, false]);
  });

  test('may be read a day after the ballot ended, and no longer', async () => {
    const vote = newVote(2);
    await count(vote.voteId, 2);
    const nowS = Math.floor(Date.now() / 1000);
    const read = (exp: number) => {
      const token = signBallot({ ...vote.ballot, exp }, ballotKey);
      return it.get(`/api/v1/votes/${vote.voteId}`, { authorization: `Bearer ${token}` });
    };
    expect((await read(nowS - readingGraceS + 60)).status).toBe(200);
    expect((await read(nowS - readingGraceS - 60)).status).toBe(404);
  });
});

describe('whoever is not the voter', () => {
  test('gets 404 without any proof, with another ballot, and with a forged one', async () => {
    const vote = newVote(2);
    await count(vote.voteId, 2);
    const other = newVote(2);
    const forged = `Bearer ${signBallot(vote.ballot, createSigningKey())}`;
    const path = `/api/v1/votes/${vote.voteId}`;
    const answers = [
      await it.get(path),
      await it.get(path, { authorization: other.authorization }),
      await it.get(path, { authorization: forged }),
      await it.get(path, { 'vote-proof': other.receipt }),
      await it.get(path, { 'vote-proof': other.code }),
      await it.get(path, { 'vote-proof': 'nonsense' }),
      await it.get('/api/v1/votes/nonsense', { authorization: vote.authorization }),
    ];
    for (const { status, body } of answers) {
      expect([status, body['error'], body['retryable']]).toEqual([404, 'not_found', false]);
    }
  });

  test('may try ten proofs a minute', async () => {
    const { voteId, authorization } = newVote(2);
    await count(voteId, 2);
    const headers = { 'vote-proof': 'ABCDE-FGHJK' };
    for (let tried = 0; tried < 10; tried++) {
      expect((await it.get(`/api/v1/votes/${voteId}`, headers)).status).toBe(404);
    }
    const answer = await it.get(`/api/v1/votes/${voteId}`, headers);
    expect([answer.status, answer.body['error']]).toEqual([429, 'rate_limit_exceeded']);
    expect(Number(answer.headers.get('retry-after'))).toBe(answer.body['retry_after']);
    // The voter's own ballot is no guess.
    expect((await it.get(`/api/v1/votes/${voteId}`, { authorization })).status).toBe(200);
  });
});

describe('an address', () => {
  const from = (address: string) => ({ 'cloudfront-viewer-address': `${address}:443` });

  test('may try thirty codes a minute, of whatever votes, and its /64 with it', async () => {
    const vote = newVote(2);
    await count(vote.voteId, 2);
    const path = `/api/v1/votes/${vote.voteId}`;
    for (let tried = 0; tried < 30; tried++) {
      const headers = { ...from(`[2001:db8::${tried + 1}]`), 'vote-proof': 'ABCDE-FGHJK' };
      const answer = await it.get(`/api/v1/votes/${newVote(2).voteId}`, headers);
      expect([answer.status, answer.body['error']]).toEqual([404, 'not_recorded_yet']);
    }
    const neighbour = { ...from('[2001:db8::ffff]'), 'vote-proof': vote.code };
    const refused = await it.get(path, neighbour);
    expect([refused.status, refused.body['error']]).toEqual([429, 'rate_limit_exceeded']);
    expect(Number(refused.headers.get('retry-after'))).toBe(refused.body['retry_after']);
    // A receipt names its session: one look-up. Other addresses are not concerned.
    const receipt = { ...from('[2001:db8::ffff]'), 'vote-proof': vote.receipt };
    expect((await it.get(path, receipt)).status).toBe(200);
    const other = { ...from('[2001:db8:0:1::1]'), 'vote-proof': vote.code };
    expect((await it.get(path, other)).status).toBe(200);
  });
});

describe('a vote without a row', () => {
  test('is not recorded yet for a voter who says no place', async () => {
    const { voteId, authorization } = newVote(2);
    const answer = await it.get(`/api/v1/votes/${voteId}`, { authorization });
    expect([answer.status, answer.body['error'], answer.body['retryable']]).toEqual([
      404,
      'not_recorded_yet',
      true,
    ]);
  });

  test('is accepted while its place is unread, signed or not', async () => {
    const { voteId, authorization, receipt } = newVote(2, 100);
    const path = `/api/v1/votes/${voteId}`;
    const unsigned = await it.get(`${path}?at=us-east-1/1/100`, { authorization });
    expect(unsigned.body).toMatchObject({
      status: 'accepted',
      confirmation_code: null,
      accepted_at: null,
    });
    const signed = await it.get(path, { authorization, 'vote-proof': receipt });
    expect(signed.body).toMatchObject({
      status: 'accepted',
      accepted_at: '2030-01-01T00:00:00.123Z',
    });
    const proof = await it.get(path, { 'vote-proof': receipt });
    expect(proof.body).toMatchObject({ status: 'accepted', as_cast: null });
  });

  test('is an alarm and 503 when a signed receipt names a place that was read', async () => {
    const { voteId, authorization, receipt } = newVote(2, 99);
    const before = await missing();
    const path = `/api/v1/votes/${voteId}`;
    const answers = [
      await it.get(path, { 'vote-proof': receipt }),
      await it.get(path, { authorization, 'vote-proof': receipt }),
    ];
    for (const { status, body } of answers) {
      expect([status, body['error'], body['retryable']]).toEqual([503, 'outcome_unknown', true]);
    }
    expect((await missing()) - before).toBe(2);
  });

  test('raises no alarm for a place that nobody signed', async () => {
    const { voteId, authorization } = newVote(2);
    const before = await missing();
    const answer = await it.get(`/api/v1/votes/${voteId}?at=us-east-1/1/5`, { authorization });
    expect([answer.status, answer.body['error']]).toEqual([404, 'not_recorded_yet']);
    expect(await missing()).toBe(before);
  });

  test('refuses a place that is none', async () => {
    const { voteId, authorization } = newVote(2);
    const answer = await it.get(`/api/v1/votes/${voteId}?at=somewhere`, { authorization });
    expect([answer.status, answer.body['error']]).toEqual([400, 'invalid_request']);
  });
});

test('a vote that came too late is listed as late', async () => {
  const vote = newVote(2);
  await superuser.query(`INSERT INTO votes.late_votes VALUES ($1, $2, 1, 1, 50, 2, $3)`, [
    session.sessionNo,
    vote.voteId,
    new Date(acceptedAtMs),
  ]);
  const path = `/api/v1/votes/${vote.voteId}`;
  const own = await it.get(path, { authorization: vote.authorization });
  expect(own.body).toMatchObject({ status: 'late', accepted_at: '2030-01-01T00:00:00.123Z' });
  const byCode = await it.get(path, { 'vote-proof': vote.code });
  expect(byCode.body).toMatchObject({ status: 'late', as_cast: null });
});

test('a quarantined vote is shown as such, by its vote id or by its place', async () => {
  const known = newVote(2, 70);
  const unreadable = newVote(2, 71);
  await superuser.query(
    `INSERT INTO votes.quarantined_records
       (region_no, partition, "offset", session_id, vote_id, reason)
     VALUES (1, 1, 70, $1, $2, 'unknown option'), (1, 1, 71, $1, NULL, 'unreadable')`,
    [session.sessionId, known.voteId],
  );
  const own = await it.get(`/api/v1/votes/${known.voteId}`, { authorization: known.authorization });
  expect(own.body).toMatchObject({ status: 'quarantined' });
  const path = `/api/v1/votes/${unreadable.voteId}`;
  const byPlace = await it.get(path, { 'vote-proof': unreadable.receipt });
  expect(byPlace.body).toMatchObject({ status: 'quarantined', as_cast: null });
});

test('only GET is taken, and unknown addresses are not found', async () => {
  expect((await it.get('/api/v1/other')).body['error']).toBe('not_found');
});

test('the role of the service writes nothing but its own counts', async () => {
  for (const table of ['votes', 'verdicts', 'offsets', 'tallies', 'voting_sessions']) {
    await expect(it.pool.query(`DELETE FROM votes.${table}`)).rejects.toMatchObject({
      code: '42501',
    });
  }
  await expect(it.pool.query('SELECT FROM identity.users')).rejects.toMatchObject({
    code: '42501',
  });
});

test('a vote that was taken out says so, and shows no code', async () => {
  const vote = newVote(2);
  await count(vote.voteId, 2);
  await superuser.query('INSERT INTO votes.void_votes VALUES ($1, $2, $3)', [
    session.sessionNo,
    vote.voteId,
    Buffer.alloc(32),
  ]);
  const { authorization } = vote;
  const answer = await it.get(`/api/v1/votes/${vote.voteId}`, { authorization });
  expect(answer.body).toMatchObject({
    status: 'void',
    confirmation_code: null,
    accepted_at: '2030-01-01T00:00:00.123Z',
  });
});

describe('a region that was declared lost', () => {
  const ask = ({ voteId, receipt }: ReturnType<typeof newVote>) =>
    it.get(`/api/v1/votes/${voteId}`, { 'vote-proof': receipt });
  const declare = (sql: string) => superuser.query(sql);

  test('answers for what was never read: accepted while copies are read, then lost', async () => {
    const vote = newVote(2, 150);
    expect((await ask(vote)).body).toMatchObject({ status: 'accepted' });
    await declare(`
      UPDATE votes.regions SET lost_at = clock_timestamp() WHERE region_no = 1;
      INSERT INTO votes.regions (region, stands_for) VALUES ('us-east-1@us-west-2', 1);
      INSERT INTO votes.regions (region) VALUES ('us-west-2')`);
    // Its copies are known, and nobody has begun to read them.
    expect((await ask(vote)).body).toMatchObject({ status: 'accepted' });
    await declare(`
      INSERT INTO votes.offsets (region_no, partition, cluster_id, topic_id, next_offset)
      SELECT region_no, 0, 'cluster', gen_random_uuid(), 40 FROM votes.regions
      WHERE region = 'us-east-1@us-west-2';
      INSERT INTO votes.log_counts (region_no, partition, next_offset, log_end, heard_at)
      SELECT region_no, 0, 40, 41, clock_timestamp() FROM votes.regions
      WHERE region = 'us-east-1@us-west-2'`);
    expect((await ask(vote)).body).toMatchObject({ status: 'accepted' });
    await declare('UPDATE votes.offsets SET next_offset = 41 WHERE next_offset = 40');
    const lost = await ask(vote);
    expect(lost).toMatchObject({ status: 410, body: { error: 'region_lost', retryable: false } });
    expect(lost.body['region']).toBe('us-east-1');
    // What was heard before the region was lost says nothing about how its copies end.
    await declare(`UPDATE votes.log_counts SET heard_at = '2020-01-01'`);
    expect((await ask(vote)).body).toMatchObject({ status: 'accepted' });
    await declare('UPDATE votes.log_counts SET heard_at = clock_timestamp()');
  });

  test('answers for a vote whose copy was read: it counts', async () => {
    const vote = newVote(1, 160);
    await count(vote.voteId, 1);
    expect((await ask(vote)).body).toMatchObject({ status: 'counted', as_cast: true });
  });

  test('says nothing to who proves nothing', async () => {
    const vote = newVote(1, 170);
    const { authorization } = vote;
    const at = 'us-east-1/1/170';
    const answer = await it.get(`/api/v1/votes/${vote.voteId}?at=${at}`, { authorization });
    expect(answer.status).toBe(410);
    expect((await it.get(`/api/v1/votes/${vote.voteId}?at=${at}`)).status).toBe(404);
  });
});
