import { type ChildProcess, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { sleep } from '#common/clock.ts';
import {
  encodeSessionsMessage,
  type SessionsMessage,
  sessionsMessageKey,
} from '#common/contracts/session.ts';
import { topics } from '#common/contracts/topics.ts';
import { createAdmin, createProducer } from '#common/kafka.ts';
import { anyFreePorts } from '../../local/free-ports.ts';
import { startTestStores } from '../../local/test-stores.ts';
import { sessionMessage } from '../support/session.ts';
import { createSigningKey } from '../support/votes.ts';

/** One intake as it runs in production, on a Kafka and a Redis of its own, and nobody behind it. */
export interface IntakeProcess {
  readonly port: number;
  readonly ballotKey: ReturnType<typeof createSigningKey>;
  readonly sessionIds: readonly string[];
  readonly originSecret: string;
  /** CPU that the process has used so far, µs. */
  readonly cpuUs: () => number;
  /** Pids of the process and its stores. */
  readonly pids: () => number[];
  readonly stop: () => Promise<void>;
}

const readyMsMax = 30_000;
/** Linux counts the CPU time of a process in hundredths of a second (USER_HZ). */
const tickUs = 10_000;

export async function startIntakeProcess(sessions: number): Promise<IntakeProcess> {
  const stores = await startTestStores();
  const folder = mkdtempSync(join(tmpdir(), 'vote-bench-'));
  const ballotKey = createSigningKey();
  const messages = Array.from({ length: sessions }, (_, no) =>
    sessionMessage({ session_no: no + 1 }),
  );
  await announce(stores.kafka, [
    { type: 'ballot_keys', v: 1, keys: [ballotKey.publicJwk] },
    ...messages,
  ]);
  const [port = 0, internalPort = 0] = await anyFreePorts(2);
  const originSecret = randomBytes(16).toString('hex');
  const file = (name: string, content: string): string => {
    writeFileSync(join(folder, name), content, { mode: 0o600 });
    return join(folder, name);
  };
  const receiptJwk = createSigningKey().privateKey.export({ format: 'jwk' });
  const env = {
    PATH: process.env['PATH'] ?? '',
    VOTE_PORT: String(port),
    VOTE_INTERNAL_PORT: String(internalPort),
    VOTE_LOG_LEVEL: 'error',
    VOTE_REGION: 'us-east-1',
    VOTE_KAFKA_BROKERS: stores.kafka,
    VOTE_KAFKA_REPLICATION: '1',
    VOTE_REDIS_URL: stores.redis,
    VOTE_DURABILITY: 'single',
    VOTE_CLOCK_ERROR_MS: '5',
    VOTE_ADDRESS_BALLOTS_PER_MINUTE: '1000000',
    VOTE_ORIGIN_SECRET_FILE: file('origin', originSecret),
    VOTE_RECEIPT_KEY_FILE: file('receipt', JSON.stringify(receiptJwk)),
    VOTE_CONFIRMATION_KEY_FILE: file('confirmation', randomBytes(32).toString('base64url')),
  };
  const main = new URL('../../regional-core/intake/main.ts', import.meta.url).pathname;
  const child = spawn(process.execPath, [main], { env, stdio: ['ignore', 'inherit', 'inherit'] });
  await untilReady(internalPort);
  return {
    port,
    ballotKey,
    sessionIds: messages.map(({ session_id }) => session_id),
    originSecret,
    cpuUs: () => cpuUs(child),
    pids: () => children(process.pid),
    stop: async () => {
      child.kill('SIGTERM');
      await once(child, 'exit');
      await stores.stop();
      rmSync(folder, { recursive: true });
    },
  };
}

async function announce(broker: string, messages: readonly SessionsMessage[]): Promise<void> {
  const kafka = { brokers: [broker], clientId: 'bench' };
  const admin = createAdmin(kafka);
  for (const { name, partitions, config } of topics) {
    const configs = Object.entries(config).map(([key, value]) => ({ name: key, value }));
    await admin.createTopics({ topics: [name], partitions, replicas: 1, configs });
  }
  await admin.close();
  await sleep(1000);
  const producer = createProducer(kafka);
  await producer.send({
    messages: messages.map((message) => ({
      topic: 'sessions',
      key: Buffer.from(sessionsMessageKey(message)),
      value: encodeSessionsMessage(message),
    })),
  });
  await producer.close();
}

async function untilReady(internalPort: number): Promise<void> {
  for (const deadlineMs = performance.now() + readyMsMax; ; await sleep(100)) {
    const answer = await fetch(`http://127.0.0.1:${internalPort}/readyz`).catch(() => undefined);
    if (answer?.status === 200) return;
    if (performance.now() > deadlineMs) {
      throw new Error(`intake is not ready: ${await answer?.text()}`);
    }
  }
}

function cpuUs({ pid }: ChildProcess): number {
  // proc(5): utime and stime are fields 14 and 15; the name before them may hold blanks.
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]!.split(' ');
  return (Number(fields[11]) + Number(fields[12])) * tickUs;
}

function children(pid: number): number[] {
  const own = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8');
  return own.trim().split(' ').filter(Boolean).map(Number);
}
