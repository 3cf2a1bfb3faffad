import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test, vi } from 'vitest';
import { topicName } from '#common/contracts/topics.ts';
import { createProducer } from '#common/kafka.ts';
import { anyFreePorts } from '../../../local/free-ports.ts';
import { createTestDatabase } from '../../support/database.ts';
import { createTestTopics } from '../../support/topics.ts';
import {
  createBallot,
  createRecord,
  createSession,
  createSigningKey,
} from '../../support/votes.ts';
import { differences } from './log-of-votes.ts';

const database = await createTestDatabase();
const { prefix, brokers } = await createTestTopics();
const topic = topicName(prefix, 'vote-submitted');
const admin = database.pool('postgres');
const producer = createProducer({ brokers, clientId: 'test' });
const folder = await mkdtemp(join(tmpdir(), 'vote-zombie-'));
const ledgers: ChildProcess[] = [];
afterAll(async () => {
  for (const ledger of ledgers) if (ledger.exitCode === null) ledger.kill('SIGKILL');
  await Promise.all([producer.close(), rm(folder, { recursive: true })]);
});

const ballotKey = createSigningKey();
await admin.query('INSERT INTO votes.ballot_keys (kid, x) VALUES ($1, $2)', [
  ballotKey.kid,
  ballotKey.publicJwk.x,
]);
const session = await createSession(admin);
let total = 0;

/** A real ledger, ready. */
async function startLedger(): Promise<ChildProcess> {
  const [port = 0] = await anyFreePorts(1);
  const keyFile = join(folder, 'seal-key.jwk');
  const sealKey = createSigningKey().privateKey.export({ format: 'jwk' });
  await writeFile(keyFile, JSON.stringify(sealKey));
  const ledger = spawn(process.execPath, ['regional-core/ledger/main.ts'], {
    env: {
      VOTE_INTERNAL_PORT: String(port),
      VOTE_LOG_LEVEL: 'error',
      VOTE_REGION: 'us-east-1',
      VOTE_KAFKA_BROKERS: brokers.join(','),
      VOTE_TOPIC_PREFIX: prefix,
      VOTE_KAFKA_REPLICATION: '1',
      VOTE_CLOCK_ERROR_MS: '5',
      VOTE_POSTGRES_URL: database.url('ledger'),
      VOTE_SEAL_KEY_FILE: keyFile,
    },
    stdio: 'ignore',
  });
  ledgers.push(ledger);
  await vi.waitFor(
    async () => expect((await fetch(`http://127.0.0.1:${port}/readyz`)).status).toBe(200),
    { timeout: 20_000, interval: 100 },
  );
  return ledger;
}

async function send(count: number): Promise<void> {
  for (const partition of [0, 7, 14, 21, 29]) {
    const messages = Array.from({ length: count }, () => ({
      topic,
      partition,
      ...createRecord(ballotKey, createBallot(session.sessionId), 0),
    }));
    await producer.send({ messages });
    total += count;
  }
}

async function untilAllCounted(): Promise<void> {
  await vi.waitFor(
    async () => {
      const { rows } = await admin.query<{ votes: number }>(
        'SELECT count(*) AS votes FROM votes.votes',
      );
      expect(rows[0]!.votes).toBe(total);
    },
    { timeout: 20_000, interval: 50 },
  );
}

test('a worker that stands still is taken over, and changes nothing when it goes on', async () => {
  const [still, other] = [await startLedger(), await startLedger()];
  await send(20);
  await untilAllCounted();
  still.kill('SIGSTOP');
  await send(20);
  // Longer than a lease: the other one holds everything by then.
  await untilAllCounted();
  still.kill('SIGCONT');
  for (let round = 0; round < 5; round++) await send(5);
  await untilAllCounted();
  expect(await differences(admin)).toEqual([]);
  other.kill('SIGKILL');
  await once(other, 'exit');
  await send(10);
  // A lease of 5 s runs out first.
  const startedMs = performance.now();
  await untilAllCounted();
  expect(performance.now() - startedMs).toBeLessThan(10_000);
  still.kill('SIGTERM');
  await once(still, 'exit');
  expect(still.exitCode).toBe(0);
  expect(await differences(admin)).toEqual([]);
}, 60_000);
