import { Registry } from 'prom-client';
import { afterAll } from 'vitest';
import { sleep, systemClock } from '#common/clock.ts';
import {
  decodeSessionsMessage,
  type SessionMessage,
  type SessionsMessage,
} from '#common/contracts/session.ts';
import { topicName } from '#common/contracts/topics.ts';
import { decodeTotalsMessage, type TotalsMessage } from '#common/contracts/vote-aggregated.ts';
import { followTopic } from '#common/follow-topic.ts';
import { createLog } from '#common/log.ts';
import { createPool, type Pool } from '#common/postgres.ts';
import type { Running } from '#common/service.ts';
import { start } from '../../../regional-core/publisher/start.ts';
import { createTestDatabase } from '../../support/database.ts';
import { createTestTopics } from '../../support/topics.ts';

export interface RunningPublisher {
  readonly running: Running;
  readonly stop: () => Promise<void>;
}

/** A database and topics of its own, and what stands in the topics, as it comes. */
export async function publisherUnderTest() {
  const log = createLog({ service: 'test' }, 'error');
  const database = await createTestDatabase();
  const { prefix, brokers } = await createTestTopics();
  const pools: Pool[] = [];
  const pool = (role: 'postgres' | 'ledger'): Pool => {
    const made = createPool({
      url: database.url(role),
      applicationName: 'test',
      connectionsMax: 2,
      log,
    });
    pools.push(made);
    return made;
  };
  const totals = new Map<string, TotalsMessage>();
  const sessions = new Map<string, SessionMessage>();
  const others = new Map<SessionsMessage['type'], SessionsMessage>();
  const follow = (name: 'vote-aggregated' | 'sessions', apply: (value: Buffer | null) => void) =>
    followTopic({ brokers, clientId: 'test', topic: topicName(prefix, name), log }, (records) =>
      records.forEach(({ value }) => apply(value)),
    );
  const followers = [
    follow('vote-aggregated', (value) => {
      const message = decodeTotalsMessage(value)!;
      totals.set(message.session_id, message);
    }),
    follow('sessions', (value) => {
      const message = decodeSessionsMessage(value)!;
      if (message.type === 'session') sessions.set(message.session_id, message);
      else others.set(message.type, message);
    }),
  ];
  afterAll(async () => {
    await Promise.all(followers.map((follower) => follower.close()));
    await Promise.all(pools.map((made) => made.end()));
  });

  async function startPublisher(postgresCopies = 0): Promise<RunningPublisher> {
    const ending = new AbortController();
    const running = await start({
      config: {
        host: '127.0.0.1',
        internalPort: 1,
        logLevel: 'error',
        drainNoticeMs: 0,
        kafkaBrokers: brokers,
        topicPrefix: prefix,
        region: 'us-east-1',
        postgresUrl: database.url('publisher'),
        postgresCopies,
      },
      log,
      metrics: new Registry(),
      clock: systemClock,
      random: Math.random,
      draining: ending.signal,
      loopTrouble: () => undefined,
      fail: (error) => {
        throw error;
      },
    });
    return {
      running,
      stop: async () => {
        ending.abort();
        await running.drain();
      },
    };
  }

  return { pool, totals, sessions, others, startPublisher };
}

/** Waits for something in the topics. Throws after 15 s. */
export async function until<T>(what: () => T | undefined | false): Promise<T> {
  const deadline = performance.now() + 15_000;
  for (;;) {
    const found = what();
    if (found) return found;
    if (performance.now() > deadline) throw new Error('waited in vain');
    await sleep(20);
  }
}
