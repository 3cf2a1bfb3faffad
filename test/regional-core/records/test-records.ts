import { createSecretKey, randomBytes } from 'node:crypto';
import type { AddressInfo } from 'node:net';
import { afterAll } from 'vitest';
import { systemClock } from '#common/clock.ts';
import { createHttpServer, listener } from '#common/http-server.ts';
import { importPublicKeys } from '#common/keys.ts';
import { createLog } from '#common/log.ts';
import { createRegistry, type Registry } from '#common/metrics.ts';
import { createPool, type Pool } from '#common/postgres.ts';
import { createRecordsApp } from '../../../regional-core/records/app.ts';
import { createRecordsMetrics } from '../../../regional-core/records/metrics.ts';
import type { Records } from '../../../regional-core/records/records.ts';
import {
  addressTriesMax,
  Tries,
  voteTriesMax,
} from '../../../regional-core/records/vote-state/tries.ts';
import { createTestDatabase } from '../../support/database.ts';
import { createSigningKey } from '../../support/votes.ts';

const originSecret = 'an origin secret of tests';

export const ballotKey = createSigningKey();
export const receiptKey = createSigningKey();

/** The app of records on a free port, with a database of its own. */
export async function startTestRecords() {
  const database = await createTestDatabase();
  const log = createLog({ service: 'records' }, 'fatal' as 'error');
  const pools = (['records', 'postgres'] as const).map((role) =>
    createPool({ url: database.url(role), applicationName: 'test', connectionsMax: 4, log }),
  );
  const [pool, superuser] = pools as [Pool, Pool];
  const registry: Registry = createRegistry({});
  const records: Records = {
    pool,
    ballotKeys: () => importPublicKeys([ballotKey.publicJwk]),
    receiptKeys: importPublicKeys([receiptKey.publicJwk]),
    confirmationKey: createSecretKey(randomBytes(32)),
    tries: new Tries(systemClock, voteTriesMax),
    addressTries: new Tries(systemClock, addressTriesMax),
    metrics: createRecordsMetrics(registry),
    log,
    clock: systemClock,
    random: Math.random,
  };
  const edge = { region: 'us-east-1', originSecrets: [originSecret] };
  const server = createHttpServer(listener(createRecordsApp(records, edge)));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const base = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  afterAll(async () => {
    server.close();
    server.closeAllConnections();
    await Promise.all(pools.map((each) => each.end()));
  });
  const get = async (path: string, headers: Readonly<Record<string, string>> = {}) => {
    const response = await fetch(base + path, {
      headers: { 'x-origin-secret': originSecret, ...headers },
    });
    const body = (await response.json()) as Record<string, unknown>;
    return { status: response.status, headers: response.headers, body };
  };
  return { records, pool, superuser, registry, get };
}
