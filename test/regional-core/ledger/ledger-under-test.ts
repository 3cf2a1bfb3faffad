import { systemClock } from '#common/clock.ts';
import type { SigningKey } from '#common/keys.ts';
import { createLog } from '#common/log.ts';
import { createRegistry } from '#common/metrics.ts';
import type { Pool } from '#common/postgres.ts';
import type { Running } from '#common/service.ts';
import { start } from '../../../regional-core/ledger/start.ts';
import type { TestDatabase } from '../../support/database.ts';
import type { TestTopics } from '../../support/topics.ts';
import { createSigningKey } from '../../support/votes.ts';

const sealKey = createSigningKey();

const ends: (() => Promise<void>)[] = [];

/** Ends every ledger that was started here; for a file's `afterAll`. */
export async function endLedgers(): Promise<void> {
  for (const end of ends.splice(0)) await end();
}

/** A whole ledger in this process, as its main file would start it. */
export async function startLedger(
  database: TestDatabase,
  { brokers, prefix }: TestTopics,
  { region = 'us-east-1', standbyOf = '' } = {},
): Promise<Running> {
  const ending = new AbortController();
  const ledger = await start({
    config: {
      host: '127.0.0.1',
      internalPort: 1,
      logLevel: 'error',
      drainNoticeMs: 0,
      region,
      kafkaBrokers: brokers,
      topicPrefix: prefix,
      kafkaReplication: 1,
      clockErrorMs: 5,
      clockBoundFile: undefined,
      clockPeers: [],
      postgresUrl: database.url('ledger'),
      sealKey,
      standbyOf,
    },
    log: createLog({ service: 'test' }, 'error'),
    metrics: createRegistry({}),
    clock: systemClock,
    random: Math.random,
    draining: ending.signal,
    loopTrouble: () => undefined,
    fail: (error) => {
      throw error;
    },
  });
  ends.push(async () => {
    ending.abort();
    await ledger.drain();
  });
  return ledger;
}

/** What identity does when it starts. */
export async function keepBallotKey(pool: Pool, { kid, publicJwk }: SigningKey): Promise<void> {
  await pool.query('INSERT INTO votes.ballot_keys (kid, x) VALUES ($1, $2)', [kid, publicJwk.x]);
}
