import { randomBytes, randomUUID } from 'node:crypto';
import type { AddressInfo } from 'node:net';
import { afterAll, inject } from 'vitest';
import { type Clock, HOUR_MS, sleep, systemClock } from '#common/clock.ts';
import type { ConfigOf } from '#common/config.ts';
import { closeGracefully } from '#common/http-server.ts';
import { createLog } from '#common/log.ts';
import { createRegistry, type Registry } from '#common/metrics.ts';
import type { config } from '../../../regional-core/identity/config.ts';
import { startIdentity } from '../../../regional-core/identity/start.ts';
import type { TestDatabase } from '../../support/database.ts';
import { createSigningKey } from '../../support/votes.ts';

type Config = ConfigOf<typeof config>;

const originSecret = 'a secret of the edge for tests';

export const keys = {
  accessKey: createSigningKey(),
  ballotKey: createSigningKey(),
  receiptKey: createSigningKey(),
  votingCodeKey: randomBytes(32),
  voterIdKey: randomBytes(32),
  wrappingKey: randomBytes(32),
};

export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly body: Record<string, unknown>;
}

export interface RequestOptions {
  readonly method?: string;
  readonly body?: unknown;
  readonly token?: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** The voter's network address; one of its own for each call unless given. */
  readonly address?: string;
}

/** One identity process, started as `main.ts` does, that ends after the file's last test. */
export interface IdentityUnderTest {
  readonly ask: (path: string, options?: RequestOptions) => Promise<Answer>;
  readonly clock: MovableClock;
  readonly metrics: Registry;
  readonly logged: readonly string[];
}

export interface MovableClock extends Clock {
  /** Added to the wall clock. */
  aheadMs: number;
}

export async function startIdentityUnderTest(
  database: TestDatabase,
  overrides: Partial<Config> = {},
): Promise<IdentityUnderTest> {
  const draining = new AbortController();
  const metrics = createRegistry({});
  const logged: string[] = [];
  const clock: MovableClock = {
    aheadMs: 0,
    now: () => Date.now() + clock.aheadMs,
    monotonicMs: () => systemClock.monotonicMs(),
    after: (ms, act) => systemClock.after(ms, act),
  };
  const running = await startIdentity({
    config: {
      host: '127.0.0.1',
      port: 0,
      internalPort: 1,
      logLevel: 'debug',
      drainNoticeMs: 0,
      region: 'east',
      regions: [
        { name: 'west', url: 'http://localhost/r/west' },
        { name: 'east', url: 'http://localhost/r/east' },
      ],
      postgresUrl: database.url('identity'),
      postgresCopies: 0,
      redisUrl: inject('stores').redisUrl,
      redisPrefix: `test-${randomUUID()}:`,
      originSecrets: [originSecret],
      accessKey: keys.accessKey,
      ballotKey: keys.ballotKey,
      receiptJwks: [keys.receiptKey.publicJwk],
      votingCodeKey: keys.votingCodeKey,
      voterIdKey: keys.voterIdKey,
      wrappingKey: keys.wrappingKey,
      smtpUrl: 'smtp://127.0.0.1:1',
      publicUrl: 'http://localhost',
      resultsUrl: 'http://results.localhost',
      ...overrides,
    },
    log: createLog({ service: 'identity' }, 'debug', { write: (line) => logged.push(line) }),
    metrics,
    clock,
    random: Math.random,
    draining: draining.signal,
    loopTrouble: () => undefined,
    fail: (error) => {
      throw error;
    },
  });
  afterAll(async () => {
    draining.abort();
    await closeGracefully(running.server!);
    await running.drain();
  });
  while (running.notReady().length > 0) await sleep(5);
  const { port } = running.server!.address() as AddressInfo;
  return { ask: createAsk(port), clock, metrics, logged };
}

let addresses = 0;

function createAsk(port: number): IdentityUnderTest['ask'] {
  return async (path, { method, body, token, headers, address } = {}) => {
    addresses += 1;
    const own = `10.${addresses >> 16}.${(addresses >> 8) & 255}.${addresses & 255}`;
    const response = await fetch(`http://127.0.0.1:${port}${path}`, {
      method: method ?? (body === undefined ? 'GET' : 'POST'),
      headers: {
        'x-origin-secret': originSecret,
        'cloudfront-viewer-address': `${address ?? own}:1234`,
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
        ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
        ...headers,
      },
      body: typeof body === 'string' || body === undefined ? (body ?? null) : JSON.stringify(body),
    });
    const text = await response.text();
    return {
      status: response.status,
      headers: response.headers,
      body: text === '' ? {} : (JSON.parse(text) as Record<string, unknown>),
    };
  };
}

/** A voting session; by default open for an hour and for both policies. */
export async function insertSession(
  query: (text: string, values: unknown[]) => Promise<unknown>,
  session: {
    opensAtMs?: number;
    closesAtMs?: number;
    eligibility?: readonly string[];
    title?: string;
  } = {},
): Promise<string> {
  const sessionId = randomUUID();
  const { opensAtMs = Date.now() - HOUR_MS, closesAtMs = Date.now() + HOUR_MS } = session;
  await query(
    `INSERT INTO votes.voting_sessions
       (session_id, title, options, opens_at, closes_at, eligibility, results_policy, created_by)
     VALUES ($1, $2, $3, $4, $5, $6, 'live', 'test')`,
    [
      sessionId,
      session.title ?? 'A final',
      JSON.stringify([
        { option_id: 'red', label: 'Red' },
        { option_id: 'blue', label: 'Blue' },
      ]),
      new Date(opensAtMs),
      new Date(closesAtMs),
      session.eligibility ?? ['account', 'code'],
    ],
  );
  return sessionId;
}

/** How many attempts were answered before the first 429; `attemptsMax` when none came. */
export async function untilLimited(
  attempt: () => Promise<Answer>,
  attemptsMax: number,
): Promise<{ refusedAt: number; answer: Answer }> {
  for (let at = 0; ; at++) {
    const answer = await attempt();
    if (answer.status === 429 || at === attemptsMax) return { refusedAt: at, answer };
  }
}
