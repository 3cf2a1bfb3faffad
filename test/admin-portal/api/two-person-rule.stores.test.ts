import { expect, test } from 'vitest';
import { type Act, actBody, actHash, signAct } from '#common/contracts/act.ts';
import type { TestSession } from '../../support/votes.ts';
import {
  agree,
  anna,
  ben,
  carol,
  countsOf,
  finalise,
  it,
  type Person,
  propose,
  sealedSession,
  sign,
} from './two-people.ts';

const takeOut = (session: TestSession, vote_ids: readonly string[]): Act => ({
  act: 'void',
  session_id: session.sessionId,
  corrections: 0,
  vote_ids,
  reason: 'bought',
});

/** Signs in a transaction that stays open, as another portal does; the result ends it. */
async function signSlowly(act: Act, { key }: Person): Promise<() => Promise<void>> {
  const body = actBody(act);
  const { signature } = signAct(body, key);
  const client = await it.superuser.connect();
  await client.query('BEGIN');
  const { rows } = await client.query(
    `SELECT votes.sign_act($1, admin_id, kid, $2) AS outcome
     FROM votes.approval_keys WHERE kid = $3`,
    [Buffer.from(actHash(body), 'hex'), Buffer.from(signature, 'base64url'), key.kid],
  );
  expect(rows).toEqual([{ outcome: 'agreed' }]);
  return async () => {
    await client.query('COMMIT');
    client.release();
  };
}

/** The second signature of one act while that of another is being written. */
async function signMeanwhile(slow: Act, fast: Act) {
  for (const act of [slow, fast]) {
    expect((await propose(act)).status).toBe(201);
    expect((await sign(act, anna)).status).toBe(200);
  }
  const commit = await signSlowly(slow, ben);
  let isAnswered = false;
  const signing = sign(fast, ben).then((answer) => {
    isAnswered = true;
    return answer;
  });
  await new Promise((resolve) => setTimeout(resolve, 300));
  const waited = !isAnswered;
  await commit();
  const { status, body } = await signing;
  return { waited, status, message: body['message'] };
}

test('a result is not agreed while its votes are being taken out', async () => {
  const session = await sealedSession([0, 0, 1]);
  const takenOut = takeOut(session, [session.voteIds[0]!]);
  expect(await signMeanwhile(takenOut, finalise(session, [2, 1, 0]))).toEqual({
    waited: true,
    status: 409,
    message: 'The tallies say other counts by now; recount it.',
  });
  expect(await countsOf(session)).toEqual([1, 1, 0]);
});

test('votes are not taken out while their result is being agreed', async () => {
  const session = await sealedSession([0, 0, 1]);
  const takenOut = takeOut(session, [session.voteIds[0]!]);
  expect(await signMeanwhile(finalise(session, [2, 1, 0]), takenOut)).toEqual({
    waited: true,
    status: 409,
    message: 'Two people have finalised this result; it is about to stand.',
  });
  expect(await countsOf(session)).toEqual([2, 1, 0]);
});

test.each<[string, Person, Person]>([
  ['whose account the first one made', anna, carol],
  ['who made the account of the first one', ben, carol],
])('the second person is nobody %s', async (_case, first, second) => {
  const session = await sealedSession([0]);
  const act = finalise(session, [1, 0, 0]);
  await propose(act);
  expect((await sign(act, first)).status).toBe(200);
  const refused = await sign(act, second);
  expect([refused.status, refused.body['message']]).toEqual([
    409,
    'One of you made the account of the other; somebody else has to sign.',
  ]);
  // The signature is taken back with it: a third person can still be the second one.
  expect((await sign(act, first === anna ? ben : anna)).body['agreed_at']).toEqual(
    expect.any(String),
  );
});

test('an act is proposed by a function, which names it by what its body says', async () => {
  const session = await sealedSession([0]);
  const body = actBody(finalise(session, [1, 0, 0]));
  const hash = Buffer.from(actHash(body), 'hex');
  await expect(
    it.pool.query(
      `INSERT INTO votes.acts (act_hash, kind, body, proposed_by, agreed_at)
       VALUES ($1, 'finalise', $2, 'nobody', now())`,
      [hash, body],
    ),
  ).rejects.toMatchObject({ code: '42501' });
  await expect(
    it.superuser.query(
      `INSERT INTO votes.acts (act_hash, kind, body, proposed_by) VALUES ($1, 'void', $2, 'x')`,
      [hash, body],
    ),
  ).rejects.toMatchObject({ code: '23514', constraint: 'kind_is_of_body' });
  await agree(finalise(session, [1, 0, 0]));
  const { rows } = await it.superuser.query('SELECT kind FROM votes.acts WHERE act_hash = $1', [
    hash,
  ]);
  expect(rows).toEqual([{ kind: 'finalise' }]);
});
