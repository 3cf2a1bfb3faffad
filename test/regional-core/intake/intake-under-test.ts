import { createSecretKey, randomBytes, randomUUID } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Registry } from 'prom-client';
import { afterAll, beforeEach, inject } from 'vitest';
import { sleep, systemClock } from '#common/clock.ts';
import { signBallot } from '#common/contracts/ballot-token.ts';
import { type Receipt, verifyReceipt } from '#common/contracts/receipt.ts';
import { encodeSessionsMessage, sessionsMessageKey } from '#common/contracts/session.ts';
import { topicName } from '#common/contracts/topics.ts';
import { decodeVoteRecord } from '#common/contracts/vote-submitted.ts';
import { createProducer, readLogBounds } from '#common/kafka.ts';
import { importPublicKeys, type SigningKey } from '#common/keys.ts';
import { createLog } from '#common/log.ts';
import { LogReader } from '#common/log-reader.ts';
import { createRedis } from '#common/redis.ts';
import { start } from '../../../regional-core/intake/start.ts';
import { sessionMessage } from '../../support/session.ts';
import { createTestTopics, type TestTopics } from '../../support/topics.ts';
import { createBallot, createSigningKey } from '../../support/votes.ts';

/**
 * Intake as it runs in production, on the run's Kafka and Redis, with a session that is open, one
 * that is scheduled and one that is closed. Each test has a voter's address of its own.
 */
const log = createLog({ service: 'test' }, 'error');
const topics = await createTestTopics();
const redisUrl = inject('stores').redisUrl;
export const redisPrefix = `${randomBytes(4).toString('hex')}:`;
export const ballotKey = createSigningKey();
export const receiptKey = createSigningKey();
const folder = await mkdtemp(join(tmpdir(), 'vote-intake-'));
export const receiptKeyPath = join(folder, 'receipt-key.jwk');
await writeFile(receiptKeyPath, privateJwk(receiptKey));
export const confirmationKey = createSecretKey(randomBytes(32));
const secret = 'the-secret-of-the-edge';
export const redis = createRedis({ url: redisUrl, name: 'test', commandMs: 1000, log });

export const session = sessionMessage({ version: 3 });
export const scheduled = {
  ...session,
  session_id: randomUUID(),
  opens_at_ms: session.closes_at_ms - 1,
};
export const closed = { ...session, session_id: randomUUID(), closes_at_ms: Date.now() - 1 };

/** Writes the sessions and the ballots' key into the topic `sessions`. */
export async function announceSessions({ prefix, brokers }: TestTopics): Promise<void> {
  const producer = createProducer({ brokers, clientId: 'test' });
  const topic = topicName(prefix, 'sessions');
  const keys = { type: 'ballot_keys' as const, v: 1 as const, keys: [ballotKey.publicJwk] };
  await producer.send({
    messages: [keys, session, scheduled, closed].map((message) => ({
      topic,
      key: Buffer.from(sessionsMessageKey(message)),
      value: encodeSessionsMessage(message),
    })),
  });
  await producer.close();
}

await announceSessions(topics);

interface IntakeChanges {
  readonly region?: string;
  readonly redisPrefix?: string;
  readonly kafkaBrokers?: string[];
  readonly topicPrefix?: string;
  readonly durability?: 'two-regions';
  readonly standbyBrokers?: string[];
  readonly standbyAway?: 'refuse' | 'accept';
}

export async function startIntake(
  changes: IntakeChanges = {},
  loopTrouble: () => string | undefined = () => undefined,
) {
  const ending = new AbortController();
  const port = await freePort();
  const running = await start({
    config: {
      host: '127.0.0.1',
      port,
      internalPort: 1,
      logLevel: 'error',
      drainNoticeMs: 0,
      kafkaBrokers: topics.brokers,
      topicPrefix: topics.prefix,
      region: 'us-east-1',
      redisUrl,
      redisPrefix,
      originSecrets: [secret],
      receiptKey: { path: receiptKeyPath, key: receiptKey },
      confirmationKey,
      durability: 'single',
      standbyBrokers: [],
      standbyAway: 'refuse',
      kafkaReplication: 1,
      clockErrorMs: 5,
      clockBoundFile: undefined,
      clockPeers: [],
      addressBallotsPerMinute: 1000,
      addressOthersPerMinute: 5,
      ...changes,
    },
    log,
    metrics: new Registry(),
    clock: systemClock,
    random: Math.random,
    draining: ending.signal,
    loopTrouble,
    fail: (error) => {
      throw error;
    },
  });
  return {
    url: `http://127.0.0.1:${port}`,
    running,
    stop: async () => {
      ending.abort();
      running.server!.closeAllConnections();
      running.server!.close();
      await running.drain();
    },
  };
}

async function freePort(): Promise<number> {
  const { createServer } = await import('node:net');
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as { port: number };
  await new Promise((resolve) => server.close(resolve));
  return port;
}

/** An intake that accepts votes. */
export async function startReadyIntake(...changes: Parameters<typeof startIntake>) {
  const started = await startIntake(...changes);
  while (started.running.notReady().length > 0) await sleep(20);
  return started;
}

const intake = await startReadyIntake();
afterAll(async () => {
  await intake.stop();
  redis.disconnect();
  await rm(folder, { recursive: true });
});

let address = 0;
beforeEach(() => {
  address++;
});

export interface Answer {
  status: number;
  headers: Headers;
  body: Record<string, unknown>;
}

export async function post(
  body: unknown,
  options: { token?: string; url?: string; headers?: Record<string, string> } = {},
): Promise<Answer> {
  const { token, url = intake.url, headers = {} } = options;
  const response = await fetch(`${url}/api/v1/votes`, {
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      'x-origin-secret': secret,
      'idempotency-key': randomUUID(),
      'cloudfront-viewer-address': `198.51.100.${address}:4711`,
      connection: 'close',
      ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
      ...headers,
    },
    body: typeof body === 'string' ? body : JSON.stringify(body),
  });
  const text = await response.text();
  return {
    status: response.status,
    headers: response.headers,
    body: JSON.parse(text) as Record<string, unknown>,
  };
}

/**
 * The same, coming again when told to, as the page does: on a busy machine the gate turns some
 * away. For tests of something else than overload.
 */
export async function postUntilLetIn(...request: Parameters<typeof post>): Promise<Answer> {
  for (let tries = 1; ; tries++) {
    const answer = await post(...request);
    if (answer.body['error'] !== 'overloaded' || tries === 20) return answer;
    await sleep(Number(answer.headers.get('retry-after')) * 1000 * (0.5 + Math.random()));
  }
}

export function openBallot(sessionId = session.session_id) {
  const ballot = createBallot(sessionId);
  return { ballot, token: signBallot(ballot, ballotKey) };
}

export const vote = (optionId: string, sessionId = session.session_id) => ({
  session_id: sessionId,
  option_id: optionId,
});

/** What a 201's receipt says; throws when its signature is not the region's. */
export function receiptOf({ body }: Answer): Receipt {
  const publicKeys = importPublicKeys([receiptKey.publicJwk]);
  const receipt = verifyReceipt(String(body['receipt']), publicKeys);
  if (receipt === undefined) throw new Error('the receipt is not signed by the region');
  return receipt;
}

/** A key as the file holds it that intake reads. */
export function privateJwk({ privateKey }: SigningKey): string {
  return JSON.stringify(privateKey.export({ format: 'jwk' }));
}

/** Every record in the log, by `partition/offset`. */
export async function readLog(
  { prefix, brokers }: TestTopics = topics,
  name: 'vote-submitted' | 'vote-standby' = 'vote-submitted',
) {
  const voteTopic = topicName(prefix, name);
  const ends = await readLogBounds({ brokers, clientId: 'test' }, voteTopic, 'latest');
  const reader = new LogReader({ brokers, clientId: 'test', topic: voteTopic, log, maxWaitMs: 50 });
  reader.assign(new Map(ends.map((_, partition) => [partition, 0])));
  const records = new Map<string, ReturnType<typeof decodeVoteRecord>>();
  const total = ends.reduce((sum, end) => sum + end, 0);
  while (records.size < total) {
    for (const { partition, records: batch } of await reader.take(10_000, 100)) {
      for (const { offset, key, value } of batch) {
        records.set(`${partition}/${offset}`, decodeVoteRecord(key, value));
      }
    }
  }
  await reader.close();
  return records;
}

export async function untilDone(voteId: string): Promise<void> {
  const key = `${redisPrefix}vote:{${voteId}}`;
  for (let tries = 0; tries < 100; tries++) {
    if ((await redis.getBuffer(key))?.[0] === 2) return;
    await sleep(10);
  }
  throw new Error('the claim did not become DONE');
}
