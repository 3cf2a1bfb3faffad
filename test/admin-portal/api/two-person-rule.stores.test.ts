import { randomUUID } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { type Act, actBody, actHash, signAct } from '#common/contracts/act.ts';
import { createSigningKey, type TestSession } from '../../support/votes.ts';
import {
  agree,
  anna,
  ben,
  carol,
  countsOf,
  finalise,
  it,
  makePerson,
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

/** Signed by the first, then by the second: how it ended. */
async function signByBoth(act: Act, first: Person, second: Person) {
  expect((await propose(act)).status).toBe(201);
  expect((await sign(act, first)).status).toBe(200);
  const { status, body } = await sign(act, second);
  return [status, body['message'] ?? body['agreed_at']];
}

const [dora, ida] = [await makePerson(anna, 'dora'), await makePerson(ben, 'ida')];
const erik = await makePerson(carol, 'erik');

describe('who decides together', () => {
  test.each<[string, Person, Person]>([
    ['who made an account and its owner', anna, carol],
    ['an owner and who made the account', carol, anna],
    ['two whose accounts one person made', carol, dora],
    ['who made the maker of an account, and its owner', anna, erik],
    ['two in one line, made one by the other', carol, erik],
    ['two of one family, far apart', dora, erik],
  ])('%s are not two people', async (_case, first, second) => {
    const act = finalise(await sealedSession([0]), [1, 0, 0]);
    expect(await signByBoth(act, first, second)).toEqual([
      409,
      "Both signers' accounts come from admin@vote.example. Another has to sign: " +
        'ben@vote.example, or somebody whose account comes from there.',
    ]);
    // The signature is taken back with it: another person can still be the second one.
    expect((await sign(act, ben)).body['agreed_at']).toEqual(expect.any(String));
  });

  test.each<[string, Person, Person]>([
    ['the two first admins', ben, anna],
    ['a first admin and one whom the other first one made', carol, ben],
    ['two whom different first admins made', ida, erik],
  ])('%s are', async (_case, first, second) => {
    const act = finalise(await sealedSession([0]), [1, 0, 0]);
    expect(await signByBoth(act, first, second)).toEqual([200, expect.any(String)]);
  });

  /** Accounts in a row, each made by the one before, the first by Ben; gives the last one's id. */
  async function lineOf(accounts: number): Promise<string> {
    const { rows } = await it.superuser.query<{ admin_id: string }>(
      "SELECT admin_id FROM portal.admins WHERE email = 'ben@vote.example'",
    );
    let maker = rows[0]!.admin_id;
    for (let at = 0; at < accounts; at += 1) {
      const made = await it.superuser.query<{ admin_id: string }>(
        `INSERT INTO portal.admins (email, password_hash, role, made_by)
         VALUES ($1, 'x', 'admin', $2) RETURNING admin_id`,
        [`${randomUUID()}@vote.example`, maker],
      );
      maker = made.rows[0]!.admin_id;
    }
    return maker;
  }

  /** Signs as an account that nobody can log in to; the portal's role may ask for it. */
  async function signAs(adminId: string, act: Act): Promise<unknown> {
    const { kid, publicJwk } = createSigningKey();
    await it.superuser.query(
      'INSERT INTO votes.approval_keys (kid, x, admin_id) VALUES ($1, $2, $3)',
      [kid, publicJwk.x, adminId],
    );
    const { rows } = await it.pool.query('SELECT votes.sign_act($1, $2, $3, $4) AS outcome', [
      Buffer.from(actHash(actBody(act)), 'hex'),
      adminId,
      kid,
      Buffer.alloc(64),
    ]);
    return rows[0]!.outcome;
  }

  const nobody = {
    code: 'VT409',
    message: 'No first admin stands behind this account; it decides nothing.',
  };

  test('a hundred accounts away from a first admin is near enough; further is nobody', async () => {
    const act = finalise(await sealedSession([0]), [1, 0, 0]);
    await propose(act);
    await expect(signAs(await lineOf(101), act)).rejects.toMatchObject(nobody);
    expect(await signAs(await lineOf(100), act)).toBe('waiting');
    expect((await sign(act, anna)).status).toBe(200);
  });

  test.each(['lab-0', randomUUID()])('who has no account does not: %s', async (adminId) => {
    const act = finalise(await sealedSession([0]), [1, 0, 0]);
    await propose(act);
    await expect(signAs(adminId, act)).rejects.toMatchObject(nobody);
    expect((await sign(act, anna)).status).toBe(200);
    await expect(signAs(adminId, act)).rejects.toMatchObject(nobody);
    expect((await sign(act, ben)).body['agreed_at']).toEqual(expect.any(String));
  });

  test('a signature from before this rule, of nobody, agrees to nothing', async () => {
    const act = finalise(await sealedSession([0]), [1, 0, 0]);
    await propose(act);
    const { kid, publicJwk } = createSigningKey();
    await it.superuser.query(
      `INSERT INTO votes.approval_keys (kid, x, admin_id) VALUES ($1, $2, 'nobody')`,
      [kid, publicJwk.x],
    );
    await it.superuser.query(`INSERT INTO votes.act_signatures VALUES ($1, 'nobody', $2, '')`, [
      Buffer.from(actHash(actBody(act)), 'hex'),
      kid,
    ]);
    const refused = await sign(act, anna);
    expect([refused.status, refused.body['message']]).toEqual([
      409,
      'No first admin stands behind an account that has signed; nothing is agreed.',
    ]);
  });
});

describe('a key', () => {
  test('is registered by a function, for an account that there is', async () => {
    const { kid, publicJwk } = createSigningKey();
    const { rows } = await it.superuser.query<{ admin_id: string }>(
      "SELECT admin_id FROM portal.admins WHERE email = 'ben@vote.example'",
    );
    const ofBen = [kid, publicJwk.x, rows[0]!.admin_id];
    await expect(
      it.pool.query(
        'INSERT INTO votes.approval_keys (kid, x, admin_id) VALUES ($1, $2, $3)',
        ofBen,
      ),
    ).rejects.toMatchObject({ code: '42501' });
    for (const adminId of ['nobody', randomUUID(), null]) {
      await expect(
        it.pool.query('SELECT votes.register_approval_key($1, $2, $3)', [
          kid,
          publicJwk.x,
          adminId,
        ]),
      ).rejects.toMatchObject({ code: 'VT409' });
    }
    const kept = () => it.pool.query('SELECT FROM votes.approval_keys WHERE kid = $1', [kid]);
    expect((await kept()).rowCount).toBe(0);
    await it.pool.query('SELECT votes.register_approval_key($1, $2, $3)', ofBen);
    expect((await kept()).rowCount).toBe(1);
  });

  test('of a login whose account a fail-over has lost is refused in words', async () => {
    const lost = { adminId: randomUUID(), email: 'lost@vote.example', role: 'admin' } as const;
    const cookie = `__Host-vote-admin=${await it.portal.logins.start(lost)}`;
    const body = { x: createSigningKey().publicJwk.x };
    const refused = await it.call('POST', '/approval-keys', { cookie, body });
    expect([refused.status, refused.body['message']]).toEqual([
      409,
      'There is no such account any more; log in again.',
    ]);
  });
});

test('with one first admin alone nothing is agreed, and what is missing is said', async () => {
  const act = finalise(await sealedSession([0]), [1, 0, 0]);
  await it.superuser.query(
    `UPDATE portal.admins SET made_by =
       (SELECT admin_id FROM portal.admins WHERE email = 'admin@vote.example')
     WHERE email = 'ben@vote.example'`,
  );
  try {
    expect(await signByBoth(act, anna, ben)).toEqual([
      409,
      "Both signers' accounts come from admin@vote.example, and there is no other first admin: " +
        "name a second one in the portal's bootstrap file.",
    ]);
  } finally {
    await it.superuser.query(
      "UPDATE portal.admins SET made_by = NULL WHERE email = 'ben@vote.example'",
    );
  }
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
