import { createSecretKey, randomBytes, randomUUID } from 'node:crypto';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { systemClock } from '#common/clock.ts';
import { type Ballot, signBallot } from '#common/contracts/ballot-token.ts';
import { encodeSessionsMessage, graceMs } from '#common/contracts/session.ts';
import { fairFrom, Gate, queueWaitMsMax } from '#common/gate.ts';
import { createHttpServer, listen, listener } from '#common/http-server.ts';
import { createLog } from '#common/log.ts';
import { createIntakeApp } from '../../../regional-core/intake/app.ts';
import { OutcomeUnknownError } from '../../../regional-core/intake/batch-sender.ts';
import type { Claim } from '../../../regional-core/intake/claim.ts';
import type { Admission, Claims } from '../../../regional-core/intake/claims.ts';
import { LimitedTokens } from '../../../regional-core/intake/limited-tokens.ts';
import {
  batchesMax,
  batchRecordsMax,
  ProduceQueue,
  produceDeadlineMs,
  queueRecordsMax,
} from '../../../regional-core/intake/produce-queue.ts';
import { Sessions } from '../../../regional-core/intake/sessions.ts';
import { createVoteCrypto } from '../../../regional-core/intake/vote-crypto.ts';
import { MemoryVoteLog } from '../../support/memory-vote-log.ts';
import { sessionMessage } from '../../support/session.ts';
import { createBallot, createSigningKey } from '../../support/votes.ts';

/** The handler alone: a log in memory, a clock that the test moves, claims that say what it wants. */
const ballotKey = createSigningKey();
const receiptKey = createSigningKey();
const secret = 'the-secret-of-the-edge';
const clockErrorMs = 5;
const closesAtMs = Date.now() + 60_000;
const session = sessionMessage({
  opens_at_ms: closesAtMs - 120_000,
  closes_at_ms: closesAtMs,
});

let nowMs: number;
/** What passes beyond real time. */
let skippedMs: number;
const clock = {
  ...systemClock,
  now: () => nowMs,
  monotonicMs: () => performance.now() + skippedMs,
};

/** What the wall clock is once a claim was made, or a record was acknowledged. */
let claimedAtMs: number | undefined;
let acknowledgedAtMs: number | undefined;
/** Whether the clock, the topics and the region may be relied on once a record was acknowledged. */
let isReadyAfter: boolean;
let isReady: boolean;
/** What becomes known while a claim is made, and while a record is acknowledged. */
let whileClaimed: () => void;
let whileAcknowledged: () => void;
let admission: Admission;
let admitted: number;
let finished: number;
let withdrawn: Buffer[];

const claims = {
  admit: (): Promise<Admission> => {
    admitted++;
    nowMs = claimedAtMs ?? nowMs;
    whileClaimed();
    return Promise.resolve(admission);
  },
  countStranger: () => Promise.resolve(0),
  finish: () => finished++,
  withdraw: (_voteId: string, claim: Buffer) => withdrawn.push(claim),
} as unknown as Claims;

const pending = Buffer.alloc(17, 1);
let signing: () => typeof receiptKey;

let sessions: Sessions;
let version: number;
let voteLog: MemoryVoteLog;
let queue: ProduceQueue;
let gate: Gate;
let url: string;
let stop: () => Promise<void>;

beforeEach(async () => {
  nowMs = closesAtMs - 10_000;
  skippedMs = 0;
  claimedAtMs = acknowledgedAtMs = undefined;
  isReady = isReadyAfter = true;
  whileClaimed = whileAcknowledged = () => undefined;
  admission = { limited: false, held: undefined };
  admitted = finished = 0;
  withdrawn = [];
  signing = () => receiptKey;
  voteLog = new MemoryVoteLog([1, 2]);
  const append = voteLog.append.bind(voteLog);
  voteLog.append = async (partition, records) => {
    const base = await append(partition, records);
    nowMs = acknowledgedAtMs ?? nowMs;
    isReady = isReadyAfter;
    whileAcknowledged();
    return base;
  };
  queue = new ProduceQueue({
    log: voteLog,
    clock,
    durability: 'single',
    observer: { attempted: () => undefined },
  });
  sessions = new Sessions();
  version = session.version;
  const keys = { type: 'ballot_keys' as const, v: 1 as const, keys: [ballotKey.publicJwk] };
  sessions.apply([keys, session].map((message) => ({ value: encodeSessionsMessage(message) })));
  const app = createIntakeApp(
    { log: createLog({ service: 'test' }, 'error'), region: 'here', originSecrets: [secret] },
    {
      region: 'here',
      clockErrorMs: () => clockErrorMs,
      crypto: createVoteCrypto(createSecretKey(randomBytes(32)), () => signing()),
      sessions,
      claims,
      queue,
      clock,
      random: Math.random,
      isReady: () => isReady,
      gate: (gate = new Gate({ clock, random: Math.random, waitedMs: () => queue.waitedMs() })),
      limitedTokens: new LimitedTokens(clock),
    },
  );
  const server = createHttpServer(listener(app));
  url = `http://127.0.0.1:${await listen(server, '127.0.0.1', 0)}/api/v1/votes`;
  stop = () => {
    gate.close();
    return new Promise((resolve) => server.close(() => resolve()));
  };
});
afterEach(() => stop());

/** What the topic tells of the session from now on. */
function change(changes: Partial<typeof session>): void {
  const message = { ...session, version: ++version, ...changes };
  sessions.apply([{ value: encodeSessionsMessage(message) }]);
}

async function post(ballot: Ballot = createBallot(session.session_id)) {
  const response = await fetch(url, {
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      'x-origin-secret': secret,
      'idempotency-key': randomUUID(),
      authorization: `Bearer ${signBallot(ballot, ballotKey)}`,
      connection: 'close',
    },
    body: JSON.stringify({ session_id: session.session_id, option_id: 'tea' }),
  });
  return {
    status: response.status,
    retryAfterS: Number(response.headers.get('retry-after')),
    body: (await response.json()) as Record<string, unknown>,
  };
}

test('acknowledged at the end of the grace, a vote still gets its receipt', async () => {
  acknowledgedAtMs = closesAtMs + graceMs + clockErrorMs;
  const { status, body } = await post();
  expect(status).toBe(201);
  // The time of admission, not of the acknowledgement.
  expect(body['timestamp']).toBe(new Date(closesAtMs - 10_000).toISOString());
  expect(finished).toBe(1);
});

test('acknowledged after closing and grace, the outcome is unknown: the record may lie behind the seal', async () => {
  acknowledgedAtMs = closesAtMs + graceMs + clockErrorMs + 1;
  const { status, body, retryAfterS } = await post();
  expect(status).toBe(503);
  expect(body).toMatchObject({ error: 'outcome_unknown', retryable: true });
  expect(body).not.toHaveProperty('receipt');
  expect(retryAfterS).toBeGreaterThanOrEqual(1);
  expect(voteLog.written.flat()).toHaveLength(1);
  // No DONE claim either: a retry must not be handed the receipt that was withheld.
  expect(finished).toBe(0);
});

test('a clock that was set, or a region that was lost, on the way: no receipt may be signed', async () => {
  isReadyAfter = false;
  const { status, body } = await post();
  expect([status, body['error']]).toEqual([503, 'outcome_unknown']);
  expect(voteLog.written.flat()).toHaveLength(1);
  expect(finished).toBe(0);
});

test('a vote is admitted up to the closing time less the error of the clock, and no later', async () => {
  nowMs = closesAtMs - clockErrorMs - 1;
  expect((await post()).status).toBe(201);
  nowMs = closesAtMs - clockErrorMs + 1;
  const late = await post();
  expect(late.status).toBe(410);
  expect(late.body).toMatchObject({ error: 'session_closed', retryable: false });
  expect(admitted).toBe(1);
  expect(voteLog.written.flat()).toHaveLength(1);
});

test('a session that closes while the claim is made is closed, and nothing is written', async () => {
  claimedAtMs = closesAtMs - clockErrorMs + 1;
  const ballot = createBallot(session.session_id);
  const { status, body } = await post(ballot);
  expect(status).toBe(410);
  expect(body).toMatchObject({ error: 'session_closed', vote_id: ballot.vote_id });
  expect(voteLog.appends).toEqual([]);
  expect(queue.held).toBe(0);
});

test('a session that is closed earlier, or sealed, while the claim is made is closed', async () => {
  admission = { limited: false, held: undefined, pending };
  for (const changes of [{ closes_at_ms: nowMs - 1 }, { sealed_at_ms: nowMs - 1 }]) {
    whileClaimed = () => change(changes);
    expect((await post()).body).toMatchObject({ error: 'session_closed' });
    change({});
  }
  expect(voteLog.appends).toEqual([]);
  expect(withdrawn).toEqual([pending, pending]);
});

test('nothing is written by a process that stood still while the claim was made', async () => {
  admission = { limited: false, held: undefined, pending };
  whileClaimed = () => (isReady = false);
  const { status, body } = await post();
  expect([status, body['error']]).toEqual([503, 'not_ready']);
  expect(voteLog.appends).toEqual([]);
  expect(withdrawn).toEqual([pending]);
});

test.each([
  ['closed earlier than it was accepted', () => ({ closes_at_ms: nowMs - 1 })],
  ['closed earlier, and the grace is over', () => ({ closes_at_ms: nowMs })],
  ['sealed', () => ({ sealed_at_ms: nowMs })],
])('acknowledged while its session was %s, a vote has no receipt', async (_, changes) => {
  whileAcknowledged = () => {
    change(changes());
    nowMs += graceMs + clockErrorMs + 1;
  };
  const { status, body } = await post();
  expect([status, body['error']]).toEqual([503, 'outcome_unknown']);
  expect(voteLog.written.flat()).toHaveLength(1);
  expect(finished).toBe(0);
});

test('closed earlier on the way, a vote that was accepted before keeps its receipt', async () => {
  whileAcknowledged = () => change({ closes_at_ms: nowMs });
  expect((await post()).status).toBe(201);
});

test('with the queue full a vote is told so before it is claimed, and taken once there is room', async () => {
  const places = Array.from({ length: queueRecordsMax }, () => queue.reserve('session'));
  const { status, body, retryAfterS } = await post();
  expect(status).toBe(503);
  expect(body).toMatchObject({ error: 'overloaded', retryable: true });
  expect(retryAfterS).toBeGreaterThanOrEqual(1);
  expect(admitted).toBe(0);
  expect(voteLog.appends).toEqual([]);
  places[0]!.release();
  expect((await post()).status).toBe(201);
});

test('a vote whose turn does not come in time was never sent: overloaded, not unknown', async () => {
  admission = { limited: false, held: undefined, pending };
  voteLog.faults = Array.from({ length: batchesMax }, () => 'not_written');
  const stuck = Array.from({ length: batchesMax * batchRecordsMax }, () =>
    queue
      .reserve('session')!
      .append({ key: Buffer.from('session'), value: Buffer.from('vote') })
      .catch((error: unknown) => error),
  );
  const answer = post();
  await vi.waitFor(() => expect(admitted).toBe(1));
  skippedMs = produceDeadlineMs;
  const { status, body } = await answer;
  expect(status).toBe(503);
  expect(body).toMatchObject({ error: 'overloaded', retryable: true });
  for (const error of await Promise.all(stuck)) expect(error).toBeInstanceOf(OutcomeUnknownError);
  expect(withdrawn).toEqual([pending]);
  expect(voteLog.appends).toHaveLength(batchesMax);
  expect(finished).toBe(0);
  expect(queue.held).toBe(0);
});

test('a claim is taken back at once when its vote was certainly not sent', async () => {
  admission = { limited: false, held: undefined, pending };
  claimedAtMs = closesAtMs;
  expect((await post()).status).toBe(410);
  expect(withdrawn).toEqual([pending]);
});

test('a claim stays when its vote may have been sent, and when it was', async () => {
  admission = { limited: false, held: undefined, pending };
  expect((await post()).status).toBe(201);
  acknowledgedAtMs = closesAtMs + graceMs + clockErrorMs + 1;
  nowMs = closesAtMs - 10_000;
  expect((await post()).body['error']).toBe('outcome_unknown');
  expect(withdrawn).toEqual([]);
});

test('a receipt that cannot be signed leaves the outcome unknown and the vote in the log', async () => {
  signing = () => {
    throw new Error('the key is gone');
  };
  const { status, body } = await post();
  expect(status).toBe(503);
  expect(body).toMatchObject({ error: 'outcome_unknown', retryable: true });
  expect(body).not.toHaveProperty('receipt');
  expect(voteLog.written.flat()).toHaveLength(1);
  expect(finished).toBe(0);
  signing = () => receiptKey;
  expect((await post()).status).toBe(201);
});

const choice = Buffer.alloc(8, 1);
const done: Claim = {
  state: 'done',
  choice,
  acceptedAtMs: 0,
  region: 'here',
  partition: 0,
  offset: 0,
  durability: 'single',
  kid: receiptKey.kid,
  signature: Buffer.alloc(64),
};

test.each<[string, Admission, number, string]>([
  ['limited', { limited: true, retryMs: 1500 }, 429, 'rate_limit_exceeded'],
  ['a duplicate', { limited: false, held: done }, 409, 'duplicate_vote'],
  [
    'in progress with another choice',
    { limited: false, held: { state: 'pending', choice, tag: choice } },
    409,
    'vote_in_progress',
  ],
])(
  'a vote that is %s writes nothing and leaves its place to others',
  async (_, held, status, error) => {
    admission = held;
    const answer = await post();
    expect(answer.status).toBe(status);
    expect(answer.body).toMatchObject({ error });
    expect(voteLog.appends).toEqual([]);
    expect(finished).toBe(0);
    expect(queue.held).toBe(0);
  },
);

test('a vote that was accepted leaves its place to others', async () => {
  expect((await post()).status).toBe(201);
  expect(queue.held).toBe(0);
});

test('a voter who was told to wait is told so again without asking anybody', async () => {
  const ballot = createBallot(session.session_id);
  admission = { limited: true, retryMs: 2000 };
  expect((await post(ballot)).status).toBe(429);
  admission = { limited: false, held: undefined };
  const again = await post(ballot);
  expect(again).toMatchObject({ status: 429, retryAfterS: 2 });
  expect(admitted).toBe(1);
  skippedMs = 2000;
  expect((await post(ballot)).status).toBe(201);
});

test('a session with more than its share is refused under pressure, before its ballot is read', async () => {
  for (const [sessionId, votes] of [
    [session.session_id, 20],
    [randomUUID(), 1],
  ] as const) {
    for (let no = 0; no < votes; no++) gate.answered(sessionId);
  }
  // The queue's oldest record has waited long enough for it.
  const waited = vi.spyOn(queue, 'waitedMs').mockReturnValue(queueWaitMsMax * fairFrom);
  const { status, body, retryAfterS } = await post(createBallot(randomUUID()));
  expect(status).toBe(503);
  expect(body).toMatchObject({ error: 'overloaded', retryable: true });
  expect(retryAfterS).toBeGreaterThanOrEqual(1);
  expect(admitted).toBe(0);
  waited.mockReturnValue(0);
  expect((await post()).status).toBe(201);
});

test('nothing is in flight once everything is answered', async () => {
  await Promise.all([post(), post(), post(createBallot(randomUUID()))]);
  expect(gate.inFlight).toBe(0);
});
