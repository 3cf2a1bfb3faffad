import { randomUUID } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { type Act, actBody, actHash, signAct } from '#common/contracts/act.ts';
import { createSigningKey, type TestSession } from '../../support/votes.ts';
import {
  agree,
  anna,
  ben,
  carol,
  closedSession,
  countsOf,
  digest,
  finalise,
  it,
  propose,
  register,
  sealedSession,
  sign,
} from './two-people.ts';

describe('admins and their keys', () => {
  test('the same admin asked for twice is one; another password is refused', async () => {
    const form = { email: 'Dora@vote.example', password: 'a long enough password' };
    const answers = [];
    for (const password of [form.password, form.password, 'some other password']) {
      const body = { ...form, password };
      answers.push(await it.call('POST', '/admins', { cookie: anna.cookie, body }));
    }
    expect(answers.map(({ status }) => status)).toEqual([201, 201, 409]);
    expect(answers[1]!.body).toEqual(answers[0]!.body);
    expect(answers[0]!.body['email']).toBe('dora@vote.example');
    expect(answers[2]!.body['error']).toBe('already_taken');
    expect((await it.call('POST', '/login', { body: form })).status).toBe(200);
  });

  test('a short password is refused', async () => {
    const body = { email: 'eve@vote.example', password: 'short' };
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
    expect(kids.toSorted()).toEqual([anna, ben, carol].map(({ key }) => key.kid).toSorted());
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
        'already_signed',
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
      corrections: 0,
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
      corrections: 0,
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
    corrections = 0,
  ): Act => ({
    act: kind,
    session_id: session.sessionId,
    corrections,
    vote_ids,
    reason: 'sold on the internet',
  });

  const digestOf = async ({ sessionNo }: TestSession): Promise<unknown> =>
    (await it.superuser.query('SELECT votes.result_digest($1) AS digest', [sessionNo])).rows[0];

  test('moves their counts, keeps their places, and can be undone', async () => {
    const session = await sealedSession([0, 0, 1, 2]);
    const whole = await digestOf(session);
    const out = [session.voteIds[0]!, session.voteIds[3]!];
    await agree(act('void', session, out));
    expect(await countsOf(session)).toEqual([1, 1, 0]);
    expect(await digestOf(session)).not.toEqual(whole);
    const { rows } = await it.superuser.query(
      `SELECT (SELECT count(*) FROM votes.votes WHERE session_no = $1) AS rows,
         (SELECT count(*) FROM votes.void_votes WHERE session_no = $1) AS voids,
         (SELECT array_agg(kind || ' ' || moved) FROM votes.corrections
          WHERE session_no = $1) AS corrections`,
      [session.sessionNo],
    );
    expect(rows).toEqual([{ rows: 4, voids: 2, corrections: ['void 2'] }]);
    await agree(act('restore', session, [out[1]!], 1));
    expect(await countsOf(session)).toEqual([1, 1, 1]);
    await agree(act('restore', session, [out[0]!], 2));
    expect(await countsOf(session)).toEqual([2, 1, 1]);
    expect(await digestOf(session)).toEqual(whole);
  });

  test('put back, the same votes are taken out once more by the same words', async () => {
    const session = await sealedSession([0, 1]);
    const out = [session.voteIds[0]!];
    await agree(act('void', session, out, 0));
    await agree(act('restore', session, out, 1));
    expect(await countsOf(session)).toEqual([1, 1, 0]);
    await agree(act('void', session, out, 2));
    expect(await countsOf(session)).toEqual([0, 1, 0]);
    expect((await propose(act('void', session, [session.voteIds[1]!], 2))).body['message']).toBe(
      'The counts were corrected otherwise by now; look again.',
    );
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
    const again = act('void', session, [first, other], 1);
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
