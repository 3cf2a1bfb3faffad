import { randomUUID } from 'node:crypto';
import { beforeEach, describe, expect, test } from 'vitest';
import { type Act, actBody, actHash, type FinaliseAct, signAct } from '#common/contracts/act.ts';
import { encodeStatement } from '#common/contracts/final.ts';
import type { SigningKey } from '#common/keys.ts';
import { uuidV8 } from '#common/uuid.ts';
import { createSession, createSigningKey, type TestSession } from '../../support/votes.ts';
import { startTestPortal } from './test-portal.ts';

const it = await startTestPortal();
const second = { email: 'ben@vote.example', password: 'another long password' };

interface Person {
  readonly cookie: string;
  readonly key: SigningKey;
}

async function register(cookie: string, key: SigningKey): Promise<Person> {
  const { x } = key.publicJwk;
  const answer = await it.call('POST', '/approval-keys', { cookie, body: { x } });
  expect([answer.status, answer.body['kid']]).toEqual([201, key.kid]);
  return { cookie, key };
}

const anna = await register(await it.login(), createSigningKey());
await it.call('POST', '/admins', { cookie: anna.cookie, body: second });
const ben = await register(await it.login(second), createSigningKey());

function propose(act: Act, who = anna) {
  return it.call('POST', '/acts', { cookie: who.cookie, body: { body: actBody(act) } });
}

function sign(act: Act, who: Person, key = who.key) {
  const body = actBody(act);
  const path = `/acts/${actHash(body)}/signatures`;
  return it.call('POST', path, { cookie: who.cookie, body: signAct(body, key) });
}

async function agree(act: Act): Promise<void> {
  expect((await propose(act)).status).toBe(201);
  expect((await sign(act, anna)).status).toBe(200);
  expect((await sign(act, ben)).status).toBe(200);
}

/** A closed session with votes for these options (by number), counted by hand. */
async function closedSession(choices: readonly number[]) {
  const session = await createSession(it.superuser, { closesInMs: -1000 });
  const voteIds = choices.map(() => uuidV8(Buffer.from(randomUUID().replaceAll('-', ''), 'hex')));
  for (const [index, option] of choices.entries()) {
    await it.superuser.query(
      `INSERT INTO votes.votes
         (session_no, vote_id, option_no, region_no, partition, "offset", accepted_at)
       VALUES ($1, $2, $3, 1, 0, $4, now() - interval '2 seconds')`,
      [session.sessionNo, voteIds[index], option, index],
    );
    await it.superuser.query(
      `INSERT INTO votes.tallies (session_no, option_no, region_no, partition, votes)
       VALUES ($1, $2, 1, 0, 1)
       ON CONFLICT (session_no, option_no, region_no, partition)
       DO UPDATE SET votes = tallies.votes + 1`,
      [session.sessionNo, option],
    );
  }
  return { ...session, voteIds };
}

async function sealedSession(choices: readonly number[]) {
  const session = await closedSession(choices);
  await it.superuser.query(
    'UPDATE votes.voting_sessions SET sealed_at = now() WHERE session_no = $1',
    [session.sessionNo],
  );
  return session;
}

const digest = 'd1'.repeat(32);
function finalise({ sessionId }: TestSession, counts: readonly number[]): FinaliseAct {
  return {
    act: 'finalise',
    session_id: sessionId,
    session_version: 1,
    digest,
    total: counts.reduce((sum, count) => sum + count, 0),
    counts,
    recounts: { rows: digest, tallies: 'equal', kafka: digest },
    covers: {},
  };
}

async function countsOf({ sessionNo }: TestSession): Promise<number[]> {
  const { rows } = await it.superuser.query<{ votes: number }>(
    `SELECT coalesce(sum(votes), 0)::bigint AS votes FROM generate_series(0, 2) AS no
     LEFT JOIN votes.tallies ON option_no = no AND session_no = $1 GROUP BY no ORDER BY no`,
    [sessionNo],
  );
  return rows.map(({ votes }) => votes);
}

describe('admins and their keys', () => {
  test('the same admin asked for twice is one; another password is refused', async () => {
    const form = { email: 'Carol@vote.example', password: 'a long enough password' };
    const answers = [];
    for (const password of [form.password, form.password, 'some other password']) {
      const body = { ...form, password };
      answers.push(await it.call('POST', '/admins', { cookie: anna.cookie, body }));
    }
    expect(answers.map(({ status }) => status)).toEqual([201, 201, 409]);
    expect(answers[1]!.body).toEqual(answers[0]!.body);
    expect(answers[0]!.body['email']).toBe('carol@vote.example');
    expect(answers[2]!.body['error']).toBe('already_taken');
    expect((await it.call('POST', '/login', { body: form })).status).toBe(200);
  });

  test('a short password is refused', async () => {
    const body = { email: 'dora@vote.example', password: 'short' };
    const answer = await it.call('POST', '/admins', { cookie: anna.cookie, body });
    expect([answer.status, answer.body['error']]).toEqual([400, 'invalid_request']);
  });

  test('a key registered again is the same; by another person it is refused', async () => {
    const body = { x: anna.key.publicJwk.x };
    const again = await it.call('POST', '/approval-keys', { cookie: anna.cookie, body });
    const stolen = await it.call('POST', '/approval-keys', { cookie: ben.cookie, body });
    expect([again.status, again.body['kid']]).toEqual([201, anna.key.kid]);
    expect([stolen.status, stolen.body['error']]).toEqual([409, 'already_taken']);
    const { body: listed } = await it.call('GET', '/approval-keys', { cookie: ben.cookie });
    const kids = (listed['keys'] as unknown as { kid: string }[]).map(({ kid }) => kid);
    expect(kids.toSorted()).toEqual([anna.key.kid, ben.key.kid].toSorted());
  });

  test.each(['', 'AAAA', `${'A'.repeat(42)}!`, 'A'.repeat(42) + 'B'])(
    'refuses the key %j',
    async (x) => {
      const answer = await it.call('POST', '/approval-keys', { cookie: anna.cookie, body: { x } });
      expect([answer.status, answer.body['error']]).toEqual([400, 'invalid_request']);
    },
  );
});

describe('deciding together', () => {
  test('two people agree; asked again, it is the same act', async () => {
    const session = await sealedSession([0, 1, 1]);
    const act = finalise(session, [1, 2, 0]);
    const proposed = await propose(act);
    expect([proposed.status, proposed.body['signatures'], proposed.body['agreed_at']]).toEqual([
      201,
      [],
      null,
    ]);
    expect((await propose(act, ben)).body).toEqual(proposed.body);
    const first = await sign(act, anna);
    expect([first.status, first.body['agreed_at']]).toEqual([200, null]);
    const agreed = await sign(act, ben);
    expect(agreed.status).toBe(200);
    expect(agreed.body['agreed_at']).toEqual(expect.any(String));
    const kids = (agreed.body['signatures'] as unknown as { kid: string }[]).map(({ kid }) => kid);
    expect(kids).toEqual([anna.key.kid, ben.key.kid]);
    expect((await sign(act, ben)).body).toEqual(agreed.body);
    const path = `/acts/${actHash(actBody(act))}`;
    expect((await it.call('GET', path, { cookie: anna.cookie })).body).toEqual(agreed.body);
  });

  test('one person is not two: neither by one key twice nor by two keys', async () => {
    const act = finalise(await sealedSession([0]), [1, 0, 0]);
    await propose(act);
    expect((await sign(act, anna)).status).toBe(200);
    const twice = await sign(act, anna);
    const other = await register(anna.cookie, createSigningKey());
    const byOtherKey = await sign(act, other);
    for (const { status, body } of [twice, byOtherKey]) {
      expect([status, body['error'], body['message']]).toEqual([
        409,
        'act_conflict',
        'You have signed this already; another person has to.',
      ]);
    }
    const { body } = await it.call('GET', `/acts/${actHash(actBody(act))}`, {
      cookie: ben.cookie,
    });
    expect([(body['signatures'] as unknown as unknown[]).length, body['agreed_at']]).toEqual([
      1,
      null,
    ]);
  });

  test("a signature by somebody else's key, or of another act, is refused", async () => {
    const session = await sealedSession([0]);
    const act = finalise(session, [1, 0, 0]);
    await propose(act);
    const answers = [
      await sign(act, anna, ben.key),
      await sign(act, anna, createSigningKey()),
      await it.call('POST', `/acts/${actHash(actBody(act))}/signatures`, {
        cookie: anna.cookie,
        body: signAct(actBody({ ...act, session_version: 2 }), anna.key),
      }),
    ];
    expect(answers.map(({ status, body }) => [status, body['error']])).toEqual(
      Array.from({ length: 3 }, () => [422, 'invalid_signature']),
    );
  });

  test.each<[string, (session: TestSession) => Act]>([
    ['other counts than the tallies', (session) => finalise(session, [2, 0, 0])],
    ['another version', (session) => ({ ...finalise(session, [1, 0, 0]), session_version: 9 })],
    ['no such session', () => finalise({ sessionId: randomUUID(), sessionNo: 0 }, [1, 0])],
    ['no such region', () => ({ act: 'declare_lost', region: 'mars-1', epoch: 1 })],
  ])('refuses to propose %s', async (_case, act) => {
    const answer = await propose(act(await sealedSession([0])));
    expect([answer.status, answer.body['error']]).toEqual([409, 'act_conflict']);
  });

  test('a session that is not sealed cannot be finalised', async () => {
    const answer = await propose(finalise(await closedSession([0]), [1, 0, 0]));
    expect(answer.body['message']).toBe('The session is not sealed yet.');
  });

  test('what has changed between the two signatures is refused, and not half done', async () => {
    const session = await sealedSession([0, 0, 1]);
    const act = finalise(session, [2, 1, 0]);
    await propose(act);
    await sign(act, anna);
    await agree({
      act: 'void',
      session_id: session.sessionId,
      vote_ids: [session.voteIds[0]!],
      reason: 'bought',
    });
    const refused = await sign(act, ben);
    expect([refused.status, refused.body['message']]).toEqual([
      409,
      'The tallies say other counts by now; recount it.',
    ]);
    const { body } = await it.call('GET', `/acts/${actHash(actBody(act))}`, {
      cookie: ben.cookie,
    });
    expect((body['signatures'] as unknown as unknown[]).length).toBe(1);
  });

  test.each(['nonsense', 'ab'.repeat(32)])('answers 404 for the act %s', async (hash) => {
    const read = await it.call('GET', `/acts/${hash}`, { cookie: anna.cookie });
    const signed = await it.call('POST', `/acts/${hash}/signatures`, {
      cookie: anna.cookie,
      body: signAct('x', anna.key),
    });
    expect([read.status, signed.status]).toEqual([404, 404]);
  });

  test('a body in another form is refused', async () => {
    const body = ` ${actBody({ act: 'declare_lost', region: 'us-east-1', epoch: 1 })}`;
    const answer = await it.call('POST', '/acts', { cookie: anna.cookie, body: { body } });
    expect([answer.status, answer.body['fields']]).toEqual([
      400,
      [{ field: 'body', message: 'must be an act in its canonical form' }],
    ]);
  });

  test('two people who sign at the same moment agree once', async () => {
    const session = await sealedSession([0, 1]);
    const act: Act = {
      act: 'void',
      session_id: session.sessionId,
      vote_ids: [session.voteIds[0]!],
      reason: 'at once',
    };
    await propose(act);
    const answers = await Promise.all([sign(act, anna), sign(act, ben)]);
    expect(answers.map(({ status }) => status)).toEqual([200, 200]);
    expect(await countsOf(session)).toEqual([0, 1, 0]);
  });

  test('the portal cannot sign or agree by itself in the database', async () => {
    const denied = { code: '42501' };
    await expect(it.pool.query('UPDATE votes.acts SET agreed_at = now()')).rejects.toMatchObject(
      denied,
    );
    await expect(
      it.pool.query("INSERT INTO votes.act_signatures VALUES ('', '', '', '')"),
    ).rejects.toMatchObject(denied);
    await expect(it.pool.query("SELECT votes.carry_out('')")).rejects.toMatchObject(denied);
    await expect(
      it.pool.query("SELECT votes.declare_lost('us-east-1', 1, '')"),
    ).rejects.toMatchObject(denied);
  });
});

describe('taking votes out', () => {
  const act = (
    kind: 'void' | 'restore',
    session: TestSession,
    vote_ids: readonly string[],
    reason = 'sold on the internet',
  ): Act => ({ act: kind, session_id: session.sessionId, vote_ids, reason });

  test('moves their counts, keeps their places, and can be undone', async () => {
    const session = await sealedSession([0, 0, 1, 2]);
    const out = [session.voteIds[0]!, session.voteIds[3]!];
    await agree(act('void', session, out));
    expect(await countsOf(session)).toEqual([1, 1, 0]);
    const { rows } = await it.superuser.query(
      `SELECT (SELECT count(*) FROM votes.votes WHERE session_no = $1) AS rows,
         (SELECT count(*) FROM votes.void_votes WHERE session_no = $1) AS voids,
         (SELECT array_agg(kind || ' ' || moved) FROM votes.corrections
          WHERE session_no = $1) AS corrections`,
      [session.sessionNo],
    );
    expect(rows).toEqual([{ rows: 4, voids: 2, corrections: ['void 2'] }]);
    await agree(act('restore', session, [out[1]!]));
    expect(await countsOf(session)).toEqual([1, 1, 1]);
    await agree(act('restore', session, [out[0]!]));
    expect(await countsOf(session)).toEqual([2, 1, 1]);
  });

  test('is refused whole when one of them does not count, or is out already', async () => {
    const session = await sealedSession([0, 1]);
    const [first, other] = session.voteIds as [string, string];
    const unknown = act('void', session, [first, randomUUID()]);
    await propose(unknown);
    await sign(unknown, anna);
    const refused = await sign(unknown, ben);
    expect([refused.status, refused.body['message']]).toEqual([
      409,
      '1 of these 2 votes do not count.',
    ]);
    expect(await countsOf(session)).toEqual([1, 1, 0]);
    await agree(act('void', session, [first]));
    const again = act('void', session, [first, other], 'again');
    await propose(again);
    await sign(again, anna);
    expect((await sign(again, ben)).status).toBe(409);
    expect(await countsOf(session)).toEqual([0, 1, 0]);
  });

  test('is refused before the seal, and once a result was agreed or is final', async () => {
    const open = await closedSession([0]);
    expect((await propose(act('void', open, open.voteIds))).body['message']).toBe(
      'The session is not sealed yet.',
    );
    const session = await sealedSession([0]);
    await agree(finalise(session, [1, 0, 0]));
    expect((await propose(act('void', session, session.voteIds))).body['message']).toBe(
      'Two people have finalised this result; it is about to stand.',
    );
    await it.superuser.query(
      `UPDATE votes.voting_sessions SET final_at = now(), final_statement = '' WHERE session_no = $1`,
      [session.sessionNo],
    );
    expect((await propose(act('void', session, session.voteIds))).body['message']).toBe(
      'The result of this session is final.',
    );
  });
});

describe('a lost region', () => {
  const declareLost = (region: string, epoch: number): Act => ({
    act: 'declare_lost',
    region,
    epoch,
  });

  beforeEach(async () => {
    await it.superuser.query(
      `TRUNCATE votes.regions, votes.offsets, votes.leases, votes.workers RESTART IDENTITY CASCADE;
       UPDATE votes.epoch SET epoch = 1;
       INSERT INTO votes.regions (region) VALUES ('us-east-1'), ('us-west-2');
       INSERT INTO votes.regions (region, stands_for) VALUES ('us-east-1@us-west-2', 1);
       INSERT INTO votes.offsets (region_no, partition, cluster_id, topic_id, next_offset, log_end)
       SELECT region_no, partition, 'c', gen_random_uuid(), 5, 7
       FROM votes.regions, generate_series(0, 1) AS partition;
       INSERT INTO votes.leases
       SELECT region_no, 0, gen_random_uuid(), now() + interval '1 minute' FROM votes.regions;
       INSERT INTO votes.workers
       SELECT region_no, gen_random_uuid(), now() + interval '1 minute' FROM votes.regions;
       DELETE FROM votes.act_signatures; DELETE FROM votes.acts`,
    );
  });

  test('its offsets are frozen, its leases end, its copies are read, the epoch rises', async () => {
    await agree(declareLost('us-east-1', 1));
    const { body } = await it.call('GET', '/regions', { cookie: anna.cookie });
    expect(body).toEqual({
      epoch: 2,
      logs: [
        expect.objectContaining({
          log: 'us-east-1',
          live: false,
          lost_at: expect.any(String),
          lost_by: actHash(actBody(declareLost('us-east-1', 1))),
          outstanding: 4,
        }),
        expect.objectContaining({
          log: 'us-east-1@us-west-2',
          stands_for: 'us-east-1',
          live: true,
          lost_at: null,
        }),
        expect.objectContaining({ log: 'us-west-2', live: true, outstanding: 4 }),
      ],
    });
    const { rows } = await it.superuser.query(
      'SELECT array_agg(region_no ORDER BY region_no) AS held FROM votes.leases',
    );
    expect(rows).toEqual([{ held: [2, 3] }]);
  });

  test('cannot be lost by an act of an earlier epoch; lost already, nothing happens', async () => {
    const stale = declareLost('us-east-1', 1);
    await propose(stale);
    await sign(stale, anna);
    await it.superuser.query('UPDATE votes.epoch SET epoch = 2');
    expect((await sign(stale, ben)).body['message']).toBe(
      'The epoch is another one by now; look again at what would be lost.',
    );
    await agree(declareLost('us-east-1', 2));
    const { rows: before } = await it.superuser.query('SELECT * FROM votes.regions ORDER BY 1');
    await agree(declareLost('us-east-1', 3));
    const { rows: after } = await it.superuser.query('SELECT * FROM votes.regions ORDER BY 1');
    expect(after).toEqual(before);
    expect((await it.call('GET', '/regions', { cookie: ben.cookie })).body['epoch']).toBe(3);
  });

  test('is not the last one, and not a standby', async () => {
    await agree(declareLost('us-east-1', 1));
    expect((await propose(declareLost('us-west-2', 2))).body['message']).toBe(
      'It is the last region that is left.',
    );
    expect((await propose(declareLost('us-east-1@us-west-2', 2))).status).toBe(400);
  });

  test('a batch under way ends first', async () => {
    const client = await it.superuser.connect();
    await client.query('BEGIN');
    await client.query('SELECT FROM votes.offsets WHERE region_no = 1 FOR UPDATE');
    const act = declareLost('us-east-1', 1);
    await propose(act);
    await sign(act, anna);
    let isDone = false;
    const signing = sign(act, ben).then((answer) => {
      isDone = true;
      return answer;
    });
    await new Promise((resolve) => setTimeout(resolve, 300));
    expect(isDone).toBe(false);
    await client.query('UPDATE votes.offsets SET next_offset = 6 WHERE region_no = 1');
    await client.query('COMMIT');
    client.release();
    expect((await signing).status).toBe(200);
    const { rows } = await it.superuser.query(
      'SELECT DISTINCT next_offset FROM votes.offsets WHERE region_no = 1',
    );
    expect(rows).toEqual([{ next_offset: 6 }]);
  });
});

describe('the way to a final result', () => {
  const finality = async ({ sessionId }: TestSession) =>
    (await it.call('GET', `/sessions/${sessionId}/finality`, { cookie: anna.cookie })).body;

  beforeEach(async () => {
    await it.superuser.query(
      `TRUNCATE votes.regions, votes.offsets RESTART IDENTITY CASCADE;
       INSERT INTO votes.regions (region) VALUES ('us-east-1'), ('us-west-2');
       INSERT INTO votes.offsets (region_no, partition, cluster_id, topic_id, next_offset, log_end)
       SELECT region_no, partition, 'c', gen_random_uuid(), 5, 5 + region_no
       FROM votes.regions, generate_series(0, 1) AS partition`,
    );
  });

  test('says what is sealed, outstanding, late and by how much the first leads', async () => {
    const session = await closedSession([1, 1, 1, 0]);
    await it.superuser.query(
      `INSERT INTO votes.seals SELECT $1, 1, p, 3 + p, now(), 'kid', '' FROM generate_series(0, 1) p`,
      [session.sessionNo],
    );
    await it.superuser.query(
      `INSERT INTO votes.verdicts (session_no, region_no, partition, counted, late, next_offset)
       VALUES ($1, 1, 0, 3, 2, 5)`,
      [session.sessionNo],
    );
    expect(await finality(session)).toMatchObject({
      state: 'closed',
      total: 4,
      first: { option_id: 'option-1', votes: 3 },
      second: { option_id: 'option-0', votes: 1 },
      margin: 2,
      outstanding: 6,
      decided: false,
      late: 2,
      digest: null,
      logs: [
        { log: 'us-east-1', partitions: 2, sealed: 2, outstanding: 2, covers: [4, 5] },
        { log: 'us-west-2', partitions: 2, sealed: 0, outstanding: 4, covers: null },
      ],
      lost_regions: [],
      acts: [],
    });
  });

  test('names regions that are lost, and what was never read of them', async () => {
    const session = await sealedSession([0]);
    await it.superuser.query(
      `UPDATE votes.regions SET lost_at = now(), lost_by = '' WHERE region = 'us-west-2'`,
    );
    const answer = await finality(session);
    expect(answer).toMatchObject({
      state: 'sealed',
      outstanding: 2,
      decided: true,
      lost_regions: [{ region: 'us-west-2', never_read: 4 }],
    });
    expect(answer['logs']).toContainEqual(
      expect.objectContaining({ log: 'us-west-2', live: false, covers: [5, 5] }),
    );
  });

  test('shows acts and corrections, and the final digest from the statement', async () => {
    const session = await sealedSession([2, 2]);
    const voided: Act = {
      act: 'void',
      session_id: session.sessionId,
      vote_ids: [session.voteIds[0]!],
      reason: 'x',
    };
    await agree(voided);
    const act = finalise(session, [0, 0, 1]);
    await agree(act);
    const statement = encodeStatement(actBody(act), [
      signAct(actBody(act), anna.key),
      signAct(actBody(act), ben.key),
    ]);
    await it.superuser.query(
      'UPDATE votes.voting_sessions SET final_at = now(), final_statement = $2 WHERE session_no = $1',
      [session.sessionNo, statement],
    );
    // What was declared final stands, whatever happens to the tallies.
    await it.superuser.query('UPDATE votes.tallies SET votes = 77 WHERE session_no = $1', [
      session.sessionNo,
    ]);
    const answer = await finality(session);
    expect(answer).toMatchObject({
      state: 'final',
      digest,
      act_hash: actHash(actBody(act)),
      total: 1,
      first: { option_id: 'option-2', votes: 1 },
      corrections: [{ kind: 'void', moved: 1, act_hash: actHash(actBody(voided)) }],
    });
    const kinds = (answer['acts'] as unknown as { kind: string }[]).map(({ kind }) => kind);
    expect(kinds).toEqual(['finalise', 'void']);
  });
});

test.each([
  ['POST', '/admins'],
  ['POST', '/approval-keys'],
  ['GET', '/approval-keys'],
  ['POST', '/acts'],
  ['GET', `/acts/${digest}`],
  ['POST', `/acts/${digest}/signatures`],
  ['GET', '/regions'],
  ['GET', '/sessions/3b241101-e2bb-4255-8caf-4136c566a962/finality'],
])('%s %s answers 401 to whoever is not logged in', async (method, path) => {
  const answer = await it.call(method, path, method === 'POST' ? { body: {} } : {});
  expect([answer.status, answer.body['error']]).toEqual([401, 'invalid_token']);
});
