import { describe, expect, test, vi } from 'vitest';
import { DAY_MS, HOUR_MS, toTimestamp } from '#common/clock.ts';
import { resultsAudience, sessionChangeAheadMs } from '#common/contracts/session.ts';
import { isUuid } from '#common/uuid.ts';
import { readSessions } from '../../../regional-core/publisher/sql/read-sessions.ts';
import { startTestPortal } from './test-portal.ts';

const it = await startTestPortal();
const cookie = await it.login();

function form(changes: Record<string, unknown> = {}): Record<string, unknown> {
  return {
    title: 'Song of the year',
    options: [{ label: 'Été à Paris' }, { label: 'Der Käfer' }, { option_id: 'b-2', label: 'B' }],
    opens_at: toTimestamp(Date.now() + HOUR_MS),
    closes_at: toTimestamp(Date.now() + 2 * HOUR_MS),
    eligibility: [{ policy: 'account' }, { policy: 'code' }],
    results_policy: 'live',
    ...changes,
  };
}

async function create(changes: Record<string, unknown> = {}): Promise<Record<string, unknown>> {
  const { status, body } = await it.call('POST', '/sessions', { cookie, body: form(changes) });
  expect([status, body]).toEqual([201, body]);
  return body;
}

describe('creating a session', () => {
  test('answers 201 with the scheduled session and its address', async () => {
    const sent = form();
    const answer = await it.call('POST', '/sessions', { cookie, body: sent });
    expect(answer.status).toBe(201);
    expect(isUuid(answer.body['session_id'])).toBe(true);
    expect(answer.body).toEqual({
      session_id: answer.body['session_id'],
      title: 'Song of the year',
      state: 'scheduled',
      opens_at: sent['opens_at'],
      closes_at: sent['closes_at'],
      options: [
        { option_id: 'ete-a-paris', label: 'Été à Paris' },
        { option_id: 'der-kafer', label: 'Der Käfer' },
        { option_id: 'b-2', label: 'B' },
      ],
      eligibility: [{ policy: 'account' }, { policy: 'code' }],
      results_policy: 'live',
      version: 1,
    });
    expect(answer.headers.get('location')).toBe(
      `/admin/api/v1/sessions/${String(answer.body['session_id'])}`,
    );
    expect(answer.headers.get('cache-control')).toBe('no-store');
  });

  test('with a key of its own may be asked for again, and is made once', async () => {
    const headers = { 'idempotency-key': 'the key of a form' };
    const post = (body: unknown) => it.call('POST', '/sessions', { cookie, body, headers });
    const sent = form();
    const first = await post(sent);
    expect([first.status, (await post(sent)).body]).toEqual([201, first.body]);
    const other = await post({ ...sent, title: 'Another' });
    expect([other.status, other.body['error']]).toEqual([409, 'session_conflict']);
    const { rows } = await it.superuser.query(
      'SELECT count(*) AS made FROM votes.voting_sessions WHERE session_id = $1',
      [first.body['session_id']],
    );
    expect(rows).toEqual([{ made: 1 }]);
  });

  test('declares the logs that it must wait for, also in a database that has lost them', async () => {
    await it.superuser.query('TRUNCATE votes.regions CASCADE');
    await create();
    const { rows } = await it.superuser.query('SELECT region FROM votes.regions');
    expect(rows).toEqual([{ region: 'us-east-1' }]);
  });

  test('makes the table for its votes', async () => {
    const session = await create();
    const { rows } = await it.superuser.query(
      `SELECT to_regclass('votes.votes_' || session_no) IS NOT NULL AS made
       FROM votes.voting_sessions WHERE session_id = $1`,
      [session['session_id']],
    );
    expect(rows).toEqual([{ made: true }]);
  });

  test('is open at once when its opening time has come', async () => {
    const session = await create({ opens_at: toTimestamp(Date.now() - HOUR_MS) });
    expect(session['state']).toBe('open');
  });

  test('names every faulty field at once', async () => {
    const body = form({ title: ' ', options: [{ label: 'only one' }], opens_at: 'soon' });
    const answer = await it.call('POST', '/sessions', { cookie, body: { ...body, colour: 1 } });
    expect([answer.status, answer.body['error']]).toEqual([400, 'invalid_request']);
    expect(answer.body['fields']).toEqual(
      expect.arrayContaining([
        { field: 'title', message: 'must have at least 1 characters' },
        { field: 'options', message: 'must have at least 2 entries' },
        { field: 'opens_at', message: 'must be a time in RFC 3339, such as 2030-01-31T20:00:00Z' },
        { field: 'body', message: 'has unknown members: colour' },
      ]),
    );
  });

  test.each([
    ['an end before its beginning', { closes_at: toTimestamp(Date.now() - DAY_MS) }, 'closes_at'],
    [
      'an end that is past',
      { opens_at: '2020-01-01T00:00:00Z', closes_at: '2020-01-02T00:00:00Z' },
      'closes_at',
    ],
    [
      'longer than the log is kept',
      { closes_at: toTimestamp(Date.now() + 9 * DAY_MS) },
      'closes_at',
    ],
    [
      'one option id twice',
      {
        options: [
          { option_id: 'a', label: 'A' },
          { option_id: 'a', label: 'B' },
        ],
      },
      'options',
    ],
    ['a policy twice', { eligibility: [{ policy: 'code' }, { policy: 'code' }] }, 'eligibility'],
    ['an unknown results policy', { results_policy: 'sometimes' }, 'results_policy'],
    ['a title with a control character', { title: 'a\u0000b' }, 'title'],
    ['no title', { title: undefined }, 'title'],
  ])('refuses %s', async (_case, changes, field) => {
    const answer = await it.call('POST', '/sessions', { cookie, body: form(changes) });
    expect([answer.status, answer.body['error']]).toEqual([400, 'invalid_request']);
    expect(answer.body['fields']).toEqual([{ field, message: expect.any(String) }]);
  });

  test('says why a session may not be longer than the log', async () => {
    const body = form({ closes_at: toTimestamp(Date.now() + 9 * DAY_MS) });
    const answer = await it.call('POST', '/sessions', { cookie, body });
    expect(answer.body['message']).toBe(
      'closes_at must be at most 7 days after opening: votes stay in the log for 8 days, ' +
        'and the result must be final before the first ones leave it.',
    );
  });
});

describe('reading sessions', () => {
  test('lists the newest first', async () => {
    const first = await create({ title: 'first' });
    const second = await create({ title: 'second' });
    const { status, body } = await it.call('GET', '/sessions', { cookie });
    const sessions = body['sessions'] as unknown as unknown[];
    expect([status, sessions.slice(0, 2)]).toEqual([200, [second, first]]);
  });

  test('answers one by its id', async () => {
    const session = await create();
    const answer = await it.call('GET', `/sessions/${String(session['session_id'])}`, { cookie });
    expect([answer.status, answer.body]).toEqual([200, session]);
  });

  test.each(['3b241101-e2bb-4255-8caf-4136c566a962', 'nonsense', '%00'])(
    'answers 404 for %s',
    async (id) => {
      const answer = await it.call('GET', `/sessions/${id}`, { cookie });
      expect([answer.status, answer.body['error']]).toEqual([404, 'not_found']);
    },
  );
});

describe('opening and closing', () => {
  async function change(session: Record<string, unknown>, verb: 'open' | 'close') {
    return it.call('POST', `/sessions/${String(session['session_id'])}/${verb}`, { cookie });
  }

  test('opens a scheduled session now and raises its version', async () => {
    const session = await create();
    const before = Date.now();
    const { status, body } = await change(session, 'open');
    expect([status, body]).toEqual([
      200,
      { ...session, state: 'open', version: 2, opens_at: body['opens_at'] },
    ]);
    expect(Date.parse(String(body['opens_at']))).toBeGreaterThanOrEqual(before);
    expect(Date.parse(String(body['opens_at']))).toBeLessThanOrEqual(Date.now());
  });

  test('opens an open session again without changing anything', async () => {
    const session = await create();
    const first = await change(session, 'open');
    const second = await change(session, 'open');
    expect([second.status, second.body]).toEqual([200, first.body]);
  });

  test('closes an open session ten seconds ahead', async () => {
    const session = await create();
    await change(session, 'open');
    const before = Date.now();
    const { status, body } = await change(session, 'close');
    expect([status, body['state'], body['version']]).toEqual([200, 'open', 3]);
    const aheadMs = Date.parse(String(body['closes_at'])) - before;
    expect(aheadMs).toBeGreaterThanOrEqual(sessionChangeAheadMs);
    expect(aheadMs).toBeLessThan(sessionChangeAheadMs + 5000);
  });

  test('closes a closing session again without changing anything', async () => {
    const session = await create();
    await change(session, 'open');
    const first = await change(session, 'close');
    const second = await change(session, 'close');
    expect([second.status, second.body]).toEqual([200, first.body]);
  });

  test('refuses to close a session that is not open yet', async () => {
    const answer = await change(await create(), 'close');
    expect([answer.status, answer.body['error']]).toEqual([409, 'session_conflict']);
    expect(answer.body['message']).toBe('The session is not open yet.');
  });

  test('refuses to open a closed session', async () => {
    const session = await create({ opens_at: toTimestamp(Date.now() - HOUR_MS) });
    await it.superuser.query(
      'UPDATE votes.voting_sessions SET closes_at = now() WHERE session_id = $1',
      [session['session_id']],
    );
    const answer = await change(session, 'open');
    expect([answer.status, answer.body['error'], answer.body['state']]).toEqual([
      409,
      'session_conflict',
      'closed',
    ]);
  });

  test('two admins who open at once make one change', async () => {
    const session = await create();
    const answers = await Promise.all(Array.from({ length: 5 }, () => change(session, 'open')));
    expect(answers.map(({ status }) => status)).toEqual([200, 200, 200, 200, 200]);
    expect(new Set(answers.map(({ body }) => body['version']))).toEqual(new Set([2]));
  });
});

describe('releasing results', () => {
  async function createClosed(changes: Record<string, unknown> = {}) {
    const session = await create({
      opens_at: toTimestamp(Date.now() - HOUR_MS),
      results_policy: 'on_release',
      ...changes,
    });
    await it.superuser.query(
      'UPDATE votes.voting_sessions SET closes_at = now() WHERE session_id = $1',
      [session['session_id']],
    );
    return session;
  }

  async function release(session: Record<string, unknown>) {
    return it.call('POST', `/sessions/${String(session['session_id'])}/release`, { cookie });
  }

  /** Who may see counts, as the publisher reads it from the row. */
  async function audienceOf(session: Record<string, unknown>) {
    const read = await readSessions(it.superuser, Number.POSITIVE_INFINITY);
    const message = read.find(({ session_id }) => session_id === session['session_id'])!;
    return [message.version, resultsAudience(message, Date.now())];
  }

  test('shows them to everyone, and raises the version', async () => {
    const session = await createClosed();
    expect(session).not.toHaveProperty('released_at');
    expect(await audienceOf(session)).toEqual([1, 'nobody']);
    const before = Date.now();
    const { status, body } = await release(session);
    expect([status, body['state'], body['version']]).toEqual([200, 'closed', 2]);
    const releasedAtMs = Date.parse(String(body['released_at']));
    expect(releasedAtMs).toBeGreaterThanOrEqual(before);
    expect(releasedAtMs).toBeLessThanOrEqual(Date.now());
    expect(await audienceOf(session)).toEqual([2, 'everyone']);
    const read = await it.call('GET', `/sessions/${String(session['session_id'])}`, { cookie });
    expect(read.body).toEqual(body);
  });

  test('changes nothing when asked again, or by several at once', async () => {
    const session = await createClosed();
    const answers = await Promise.all(Array.from({ length: 5 }, () => release(session)));
    answers.push(await release(session));
    expect(answers.map(({ status }) => status)).toEqual([200, 200, 200, 200, 200, 200]);
    expect(new Set(answers.map(({ body }) => JSON.stringify(body))).size).toBe(1);
    expect(answers[0]?.body['version']).toBe(2);
  });

  test('is refused while voting goes on', async () => {
    const session = await create({
      opens_at: toTimestamp(Date.now() - HOUR_MS),
      results_policy: 'on_release',
    });
    const { status, body } = await release(session);
    expect([status, body['error'], body['state'], body['message']]).toEqual([
      409,
      'session_conflict',
      'open',
      'Voting has not closed yet.',
    ]);
    expect(await audienceOf(session)).toEqual([1, 'nobody']);
  });

  test.each(['live', 'after_vote', 'after_close'])(
    'is refused where results are shown %s',
    async (policy) => {
      const session = await createClosed({ results_policy: policy });
      const { status, body } = await release(session);
      expect([status, body['error'], body['state']]).toEqual([409, 'session_conflict', 'closed']);
      expect(body['message']).toBe(`The results policy is ${policy}: nothing is to be released.`);
      const { rows } = await it.superuser.query(
        'SELECT version, released_at FROM votes.voting_sessions WHERE session_id = $1',
        [session['session_id']],
      );
      expect(rows).toEqual([{ version: 1, released_at: null }]);
    },
  );
});

test.each([
  ['GET', '/sessions'],
  ['POST', '/sessions'],
  ['GET', '/sessions/3b241101-e2bb-4255-8caf-4136c566a962'],
  ['POST', '/sessions/3b241101-e2bb-4255-8caf-4136c566a962/open'],
  ['POST', '/sessions/3b241101-e2bb-4255-8caf-4136c566a962/close'],
  ['POST', '/sessions/3b241101-e2bb-4255-8caf-4136c566a962/release'],
])('%s %s answers 401 to whoever is not logged in', async (method, path) => {
  const answer = await it.call(method, path, method === 'POST' ? { body: form() } : {});
  expect([answer.status, answer.body['error']]).toEqual([401, 'invalid_token']);
});

test('a database that is away is retryable, and a change of unknown outcome', async () => {
  const session = await create();
  const { portal } = it;
  const away = Object.assign(new Error('connect ECONNREFUSED'), { code: 'ECONNREFUSED' });
  const original = portal.pool.query.bind(portal.pool) as (...all: unknown[]) => unknown;
  const query = vi.spyOn(portal.pool, 'query') as unknown as {
    mockImplementation(answer: (...all: unknown[]) => unknown): void;
    mockRestore(): void;
  };
  query.mockImplementation((statement, ...rest) =>
    /^(UPDATE|WITH made)/.test(String(statement))
      ? Promise.reject(away)
      : original(statement, ...rest),
  );
  const path = `/sessions/${String(session['session_id'])}/open`;
  const change = await it.call('POST', path, { cookie });
  const creation = await it.call('POST', '/sessions', { cookie, body: form() });
  query.mockImplementation(() => Promise.reject(away));
  const reading = await it.call('GET', '/sessions', { cookie });
  query.mockRestore();
  expect([change, creation, reading].map(({ status, body }) => [status, body['error']])).toEqual([
    [503, 'outcome_unknown'],
    [503, 'outcome_unknown'],
    [503, 'not_ready'],
  ]);
});
