import { randomUUID } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { actBody, actBodyBytesMax, type FinaliseAct } from '#common/contracts/act.ts';
import { createSigningKey } from '../../support/votes.ts';
import { anna, digest, finalise, it, propose, register, sealedSession } from './two-people.ts';

/** Sends a body with spaces in front that make it this long. */
async function postPadded(path: string, body: object, bytes: number) {
  const text = JSON.stringify(body);
  const response = await fetch(`${it.url}/admin/api/v1${path}`, {
    method: 'POST',
    headers: { ...it.edgeHeaders, 'content-type': 'application/json', cookie: anna.cookie },
    body: text.padStart(bytes - Buffer.byteLength(text) + text.length),
  });
  const { error } = (await response.json()) as { error?: string };
  return [response.status, error];
}

describe('a body', () => {
  const nobody = { email: 'nobody@vote.example', password: 'a long enough password' };
  test.each<[string, number, object, number]>([
    ['/login', 4096, nobody, 401],
    ['/admins', 4096, { email: 'zoe@vote.example', password: 'a long enough password' }, 201],
    ['/approval-keys', 1024, { x: anna.key.publicJwk.x }, 201],
    ['/acts', 2 * actBodyBytesMax + 1024, { body: 'no act' }, 400],
    [`/acts/${digest}/signatures`, 1024, { kid: 'A'.repeat(11), signature: 'A'.repeat(86) }, 404],
    ['/sessions', 128 * 1024, { title: 'without options' }, 400],
  ])('of POST %s is read up to %i bytes', async (path, bytesMax, body, status) => {
    expect((await postPadded(path, body, bytesMax))[0]).toBe(status);
    expect(await postPadded(path, body, bytesMax + 1)).toEqual([413, 'body_too_large']);
  });
});

describe('an act', () => {
  /** A result that stands on so many offsets that its body has this many bytes. */
  function finaliseOf(session: Parameters<typeof finalise>[0], bytes: number): FinaliseAct {
    const act = (offsets: readonly number[], log: string): FinaliseAct => ({
      ...finalise(session, [1, 0, 0]),
      covers: Object.fromEntries([
        ...['a', 'b', 'c'].map((name) => [name, Array.from({ length: 1000 }, () => 1e15)]),
        [log, offsets],
      ]),
    });
    const left = bytes - actBody(act([], 'd')).length;
    const offsets = Array.from({ length: Math.floor(left / 17) - 1 }, () => 1e15);
    const rest = bytes - actBody(act(offsets, 'd')).length;
    return act(offsets, 'd'.repeat(1 + rest));
  }

  test('of 60,000 bytes is proposed and read again whole; of one more it is refused', async () => {
    const session = await sealedSession([0]);
    const largest = finaliseOf(session, actBodyBytesMax);
    expect(actBody(largest)).toHaveLength(60_000);
    const proposed = await propose(largest);
    expect([proposed.status, proposed.body['body']]).toEqual([201, actBody(largest)]);
    const path = `/acts/${proposed.body['act_hash']}`;
    expect((await it.call('GET', path, { cookie: anna.cookie })).body).toEqual(proposed.body);
    const larger = await propose(finaliseOf(session, actBodyBytesMax + 1));
    expect([larger.status, larger.body['error']]).toEqual([400, 'invalid_request']);
    expect(larger.body['fields']).toMatchObject([{ field: 'body' }]);
  });

  test('of 1,000 votes with a reason full of quotes fits', async () => {
    const session = await sealedSession([0]);
    const vote_ids = Array.from({ length: 1000 }, () => randomUUID());
    const of = { session_id: session.sessionId, corrections: 0, vote_ids };
    const act = { act: 'void', ...of, reason: '"'.repeat(500) } as const;
    const answer = await propose(act);
    expect([answer.status, answer.body['body']]).toEqual([201, actBody(act)]);
  });
});

describe('a list holds the newest, newest first:', () => {
  const listed = async (path: string, member: string): Promise<Record<string, unknown>[]> => {
    const { status, body } = await it.call('GET', path, { cookie: anna.cookie });
    expect(status).toBe(200);
    return body[member] as unknown as Record<string, unknown>[];
  };

  test('200 keys', async () => {
    await it.superuser.query(
      `INSERT INTO votes.approval_keys (kid, x, admin_id, registered_at)
       SELECT 'kid-' || no, 'x', 'a', now() + no * interval '1 second'
       FROM generate_series(1, 199) AS no`,
    );
    const { key } = await register(anna.cookie, createSigningKey());
    const keys = await listed('/approval-keys', 'keys');
    const kids = keys.map(({ kid }) => kid);
    expect(kids).toHaveLength(200);
    expect(kids.slice(0, 199)).toEqual(Array.from({ length: 199 }, (_, at) => `kid-${199 - at}`));
    // Of those before there is room for the last one.
    expect(kids[199]).toBe(key.kid);
  });

  test('50 acts about a session', async () => {
    const session = await sealedSession([0]);
    const other = await sealedSession([0]);
    for (const { sessionId } of [session, other]) {
      await it.superuser.query(
        `INSERT INTO votes.acts (act_hash, kind, body, proposed_by, proposed_at)
         SELECT sha256((no || $1)::bytea), 'void', jsonb_build_object('session_id', $1::text)::text,
           no, now() + no * interval '1 second'
         FROM generate_series(1, 51) AS no`,
        [sessionId],
      );
    }
    const acts = await listed(`/sessions/${session.sessionId}/finality`, 'acts');
    const numbers = acts.map(({ proposed_by }) => proposed_by);
    expect(numbers).toEqual(Array.from({ length: 50 }, (_, at) => String(51 - at)));
    expect(acts.every(({ body }) => String(body).includes(session.sessionId))).toBe(true);
  });

  test('200 sessions', async () => {
    await it.superuser.query(
      `INSERT INTO votes.voting_sessions
         (session_id, title, options, opens_at, closes_at, eligibility, results_policy, created_by)
       SELECT gen_random_uuid(), no,
         '[{"option_id": "a", "label": "A"}, {"option_id": "b", "label": "B"}]', now(),
         now() + interval '1 hour', '{code}', 'live', 'test'
       FROM generate_series(1, 201) AS no`,
    );
    const titles = (await listed('/sessions', 'sessions')).map(({ title }) => title);
    expect(titles).toEqual(Array.from({ length: 200 }, (_, at) => String(201 - at)));
  });
});
