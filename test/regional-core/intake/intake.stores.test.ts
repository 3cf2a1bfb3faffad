import { randomBytes, randomUUID } from 'node:crypto';
import { expect, test } from 'vitest';
import { confirm } from '#common/confirmation.ts';
import { signBallot } from '#common/contracts/ballot-token.ts';
import {
  ballotKey,
  closed,
  confirmationKey,
  openBallot,
  postUntilLetIn as post,
  readLog,
  receiptOf,
  redis,
  redisPrefix,
  scheduled,
  session,
  startIntake,
  startReadyIntake,
  untilDone,
  vote,
} from './intake-under-test.ts';

test('a vote is answered with a receipt for the very record that lies in the log', async () => {
  const { ballot, token } = openBallot();
  const voted = await post(
    { ...vote('coffee'), client_metadata: { timezone: 'Europe/Berlin' } },
    { token },
  );
  const { status, body, headers } = voted;
  expect(status).toBe(201);
  expect(headers.get('cache-control')).toBe('no-store');
  expect(headers.get('x-request-id')).toMatch(/^[0-9a-f]{32}$/);
  const { code, commitment } = confirm(confirmationKey, ballot.vote_id, 1);
  expect(body).toMatchObject({
    vote_id: ballot.vote_id,
    status: 'accepted',
    confirmation_code: code,
    message: expect.stringContaining('earliest choice counts'),
  });
  const receipt = receiptOf(voted);
  expect(receipt).toMatchObject({
    vote_id: ballot.vote_id,
    session_id: session.session_id,
    commitment,
    accepted_at: body['timestamp'],
    region: 'us-east-1',
    durability: 'single',
  });
  const record = (await readLog()).get(`${receipt.partition}/${receipt.offset}`);
  expect(record).toMatchObject({ ballot, optionNo: 1, sessionVersion: 3, kid: ballotKey.kid });
});

test('300 votes at once get 300 places, and each is read back from its own', async () => {
  const ballots = Array.from({ length: 300 }, () => openBallot());
  const answers = await Promise.all(ballots.map(({ token }) => post(vote('tea'), { token })));
  expect(answers.filter(({ status }) => status !== 201)).toEqual([]);
  const places = answers.map((answer) => {
    const { partition, offset, vote_id } = receiptOf(answer);
    return [`${partition}/${offset}`, vote_id] as const;
  });
  expect(new Set(places.map(([place]) => place)).size).toBe(300);
  const records = await readLog();
  for (const [place, voteId] of places) {
    expect(records.get(place)).toMatchObject({ ballot: { vote_id: voteId } });
  }
  await untilClaimed();
}, 60_000);

/** A burst may have made Redis seem slow; then votes go on without claims for a moment. */
async function untilClaimed(): Promise<void> {
  const { ballot, token } = openBallot();
  await post(vote('tea'), { token });
  await untilDone(ballot.vote_id).catch(untilClaimed);
}

test('the same choice again gets the same answer to the letter, and no second record', async () => {
  const { ballot, token } = openBallot();
  const first = await post(vote('tea'), { token });
  await untilDone(ballot.vote_id);
  const before = (await readLog()).size;
  const again = await post(vote('tea'), {
    token: signBallot({ ...ballot, acr: 'password' }, ballotKey),
  });
  expect(again.status).toBe(201);
  expect(again.body).toEqual(first.body);
  expect((await readLog()).size).toBe(before);
});

test('another choice is refused with the id and time of the first', async () => {
  const { ballot, token } = openBallot();
  const first = await post(vote('tea'), { token });
  await untilDone(ballot.vote_id);
  const { status, body, headers } = await post(vote('coffee'), { token });
  expect(status).toBe(409);
  expect(headers.get('content-type')).toContain('application/problem+json');
  expect(body).toMatchObject({
    error: 'duplicate_vote',
    existing_vote_id: ballot.vote_id,
    timestamp: first.body['timestamp'],
    retryable: false,
    request_id: expect.stringMatching(/^[0-9a-f]{32}$/),
  });
});

test('while the first choice is on its way another waits, and the same goes through', async () => {
  const { ballot, token } = openBallot();
  const { commitment } = confirm(confirmationKey, ballot.vote_id, 0);
  const choice = Buffer.from(commitment, 'base64url').subarray(8, 16);
  // As a process leaves it that is killed between claim and acknowledgement.
  const pending = Buffer.concat([Uint8Array.of(1), choice, randomBytes(8)]);
  await redis.set(`${redisPrefix}vote:{${ballot.vote_id}}`, pending, 'PX', 3000);
  const other = await post(vote('coffee'), { token });
  expect(other.status).toBe(409);
  expect(other.body).toMatchObject({ error: 'vote_in_progress', retryable: true });
  expect(other.headers.get('retry-after')).toBe('1');
  const same = await post(vote('tea'), { token });
  expect(same.status).toBe(201);
});

test('with Redis emptied, the same choice still has the same vote id and code', async () => {
  const { ballot, token } = openBallot();
  const first = await post(vote('tea'), { token });
  await untilDone(ballot.vote_id);
  await redis.del(`${redisPrefix}vote:{${ballot.vote_id}}`);
  const again = await post(vote('tea'), { token });
  expect(again.status).toBe(201);
  expect(again.body['vote_id']).toBe(first.body['vote_id']);
  expect(again.body['confirmation_code']).toBe(first.body['confirmation_code']);
});

test('intake started again gives the same answer to the letter', async () => {
  const { ballot, token } = openBallot();
  const first = await post(vote('tea'), { token });
  await untilDone(ballot.vote_id);
  const restarted = await startReadyIntake();
  const again = await post(vote('tea'), { token, url: restarted.url });
  await restarted.stop();
  expect(again.status).toBe(201);
  expect(again.body).toEqual(first.body);
});

test('another region knows nothing of the first answer, and gives the same id and code', async () => {
  const there = await startReadyIntake({
    region: 'us-west-2',
    redisPrefix: `${redisPrefix}us-west-2:`,
  });
  const { token } = openBallot();
  const here = await post(vote('tea'), { token });
  const again = await post(vote('tea'), { token, url: there.url });
  await there.stop();
  expect(again.status).toBe(201);
  expect(again.body['vote_id']).toBe(here.body['vote_id']);
  expect(again.body['confirmation_code']).toBe(here.body['confirmation_code']);
  const [first, second] = [receiptOf(here), receiptOf(again)];
  expect([first.region, second.region]).toEqual(['us-east-1', 'us-west-2']);
  expect(second.commitment).toBe(first.commitment);
  // A record of its own, which the ledger finds to be replayed.
  const records = await readLog();
  for (const { partition, offset, vote_id } of [first, second]) {
    expect(records.get(`${partition}/${offset}`)).toMatchObject({ ballot: { vote_id } });
  }
  expect(`${second.partition}/${second.offset}`).not.toBe(`${first.partition}/${first.offset}`);
});

test.each([
  ['no ballot', vote('tea'), undefined, 401, 'invalid_token'],
  ['a member too many', { ...vote('tea'), admin: true }, 'good', 400, 'invalid_request'],
  ['no option', { session_id: session.session_id }, 'good', 400, 'invalid_request'],
  ['a member twice', '{"option_id":"tea","option_id":"coffee"}', 'good', 400, 'invalid_request'],
  ['an option that is not there', vote('milk'), 'good', 422, 'unknown_option'],
  ["another session's ballot", vote('tea', scheduled.session_id), 'good', 422, 'invalid_ballot'],
  ['a body of 2,049 bytes', `${' '.repeat(2049)}`, 'good', 413, 'body_too_large'],
])('%s is refused, and nothing is written', async (_, body, ballot, status, error) => {
  const before = (await readLog()).size;
  const token = ballot === undefined ? {} : { token: openBallot().token };
  const answer = await post(body, token);
  expect(answer.status).toBe(status);
  expect(answer.body).toMatchObject({ error, retryable: false });
  expect((await readLog()).size).toBe(before);
});

test('form posts, compressed bodies and requests without a key are refused', async () => {
  const { token } = openBallot();
  const as = (headers: Record<string, string>) => post(vote('tea'), { token, headers });
  expect((await as({ 'content-type': 'text/plain' })).status).toBe(415);
  expect((await as({ 'content-encoding': 'gzip' })).status).toBe(415);
  const noKey = await as({ 'idempotency-key': '' });
  expect(noKey.status).toBe(400);
  expect(noKey.body['message']).toContain('Idempotency-Key');
});

test('before opening a voter is told when, after closing where to look', async () => {
  const early = openBallot(scheduled.session_id);
  const opening = await post(vote('tea', scheduled.session_id), { token: early.token });
  expect(opening.status).toBe(409);
  expect(opening.body).toMatchObject({
    error: 'session_not_open',
    opens_at: new Date(scheduled.opens_at_ms).toISOString(),
  });
  const late = openBallot(closed.session_id);
  const closing = await post(vote('tea', closed.session_id), { token: late.token });
  expect(closing.status).toBe(410);
  expect(closing.body).toMatchObject({
    error: 'session_closed',
    vote_id: late.ballot.vote_id,
    state: `/api/v1/votes/${late.ballot.vote_id}`,
  });
});

test('a session that the topic has not brought yet is trouble, not a refusal', async () => {
  const sessionId = randomUUID();
  const { token } = openBallot(sessionId);
  const { status, body } = await post(vote('tea', sessionId), { token });
  expect(status).toBe(503);
  expect(body).toMatchObject({ error: 'not_ready', retryable: true });
});

test('a voter who sends without pause is asked to wait, and then goes on', async () => {
  const { token } = openBallot();
  const answers = [];
  for (let tries = 0; tries < 12; tries++) answers.push(await post(vote('tea'), { token }));
  const limited = answers.filter(({ status }) => status === 429);
  expect(limited.length).toBeGreaterThan(0);
  expect(limited[0]!.body).toMatchObject({ error: 'rate_limit_exceeded', retry_after: 1 });
  expect(limited[0]!.headers.get('retry-after')).toBe('1');
});

test('an address without ballots is limited, and its neighbours with ballots are not', async () => {
  const statuses = [];
  for (let tries = 0; tries < 7; tries++) statuses.push((await post(vote('tea'))).status);
  expect(statuses).toEqual([401, 401, 401, 401, 401, 429, 429]);
  expect((await post(vote('tea'), { token: openBallot().token })).status).toBe(201);
});

test('answers only the edge', async () => {
  const { token } = openBallot();
  const direct = await post(vote('tea'), { token, headers: { 'x-origin-secret': 'guess' } });
  expect(direct.status).toBe(403);
  expect(direct.body['error']).toBe('origin_only');
});

test('with no broker to be reached nothing is accepted, and the voter may try again', async () => {
  const lonely = await startIntake({ kafkaBrokers: ['127.0.0.1:9'] });
  expect(lonely.running.notReady()).not.toEqual([]);
  const { token } = openBallot();
  const { status, body, headers } = await post(vote('tea'), { token, url: lonely.url });
  await lonely.stop();
  expect(status).toBe(503);
  expect(body['retryable']).toBe(true);
  expect(Number(headers.get('retry-after'))).toBeGreaterThanOrEqual(1);
});

test('just after a standstill nothing is promised: what it knows is as old as that', async () => {
  let loopTrouble: string | undefined;
  const frozen = await startReadyIntake({}, () => loopTrouble);
  loopTrouble = 'the event loop stood still';
  const { token } = openBallot();
  const during = await post(vote('tea'), { token, url: frozen.url });
  loopTrouble = undefined;
  const after = await post(vote('tea'), { token, url: frozen.url });
  await frozen.stop();
  expect([during.status, during.body['error']]).toEqual([503, 'not_ready']);
  expect(after.status).toBe(201);
});
