import { randomBytes } from 'node:crypto';
import type { AddressInfo } from 'node:net';
import { afterAll, inject } from 'vitest';
import { systemClock } from '#common/clock.ts';
import { createCopies } from '#common/copies.ts';
import { createHttpServer } from '#common/http-server.ts';
import { createLog } from '#common/log.ts';
import { createRegistry } from '#common/metrics.ts';
import { createPool, type Pool } from '#common/postgres.ts';
import { createRedis, type Redis } from '#common/redis.ts';
import { createPortalApp } from '../../../admin-portal/api/app.ts';
import { Attempts } from '../../../admin-portal/api/attempts.ts';
import { ensureFirstAdmins } from '../../../admin-portal/api/first-admins.ts';
import { Logins } from '../../../admin-portal/api/logins.ts';
import { createMetrics } from '../../../admin-portal/api/metrics.ts';
import { PasswordHasher } from '../../../admin-portal/api/password.ts';
import type { Portal } from '../../../admin-portal/api/portal.ts';
import { createTestDatabase } from '../../support/database.ts';

/** The two first admins. */
export const admin = { email: 'admin@vote.example', password: 'correct horse battery' };
export const second = { email: 'ben@vote.example', password: 'another long password' };
const originSecret = 'an origin secret of tests';
export const portalUrl = 'https://portal.vote.example';

export interface TestPortal {
  readonly portal: Portal;
  readonly pool: Pool;
  /** With every right, for looking at what was written. */
  readonly superuser: Pool;
  readonly redis: Redis;
  readonly redisPrefix: string;
  /** Where it listens, and what the edge adds to each request. */
  readonly url: string;
  readonly edgeHeaders: Readonly<Record<string, string>>;
  /** Moves the portal's wall clock. */
  setNow(ms: number): void;
  call(method: string, path: string, options?: CallOptions): Promise<Answer>;
  /** Logs in and gives the cookie to send. */
  login(who?: { readonly email: string; readonly password: string }): Promise<string>;
}

interface CallOptions {
  readonly cookie?: string;
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
}

interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly body: Record<string, never> & { [member: string]: unknown };
}

/** A portal on a free port with a database and a Redis prefix of its own. */
export async function startTestPortal(): Promise<TestPortal> {
  const database = await createTestDatabase();
  const log = createLog({ service: 'portal' }, 'error');
  const pool = createPool({
    url: database.url('portal'),
    applicationName: 'test',
    connectionsMax: 5,
    log,
  });
  const superuser = createPool({
    url: database.url('postgres'),
    applicationName: 'test',
    connectionsMax: 1,
    log,
  });
  const redis = createRedis({ url: inject('stores').redisUrl, name: 'test', commandMs: 2000, log });
  await new Promise((resolve) => redis.once('ready', resolve));
  const redisPrefix = `test-${randomBytes(4).toString('hex')}:`;
  let nowMs: number | undefined;
  const clock = {
    now: () => nowMs ?? Date.now(),
    monotonicMs: () => performance.now(),
    after: (ms: number, act: () => void) => systemClock.after(ms, act),
  };
  const portal: Portal = {
    pool,
    copies: createCopies({ pool, copiesMin: 0, clock, onLate: () => undefined }),
    logs: ['us-east-1'],
    logins: new Logins(redis, redisPrefix, clock),
    attempts: new Attempts(redis, redisPrefix),
    passwords: new PasswordHasher(Math.random),
    metrics: createMetrics(createRegistry({})),
    log,
    clock,
  };
  await ensureFirstAdmins(portal, [admin, second]);
  const answer = createPortalApp(portal, { originSecrets: [originSecret], portalUrl }).callback();
  const server = createHttpServer((request, response) => void answer(request, response));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const base = `${url}/admin/api/v1`;
  const edgeHeaders = { 'x-origin-secret': originSecret };
  afterAll(async () => {
    server.close();
    server.closeAllConnections();
    redis.disconnect();
    await Promise.all([pool.end(), superuser.end()]);
  });

  const call: TestPortal['call'] = async (method, path, options = {}) => {
    const response = await fetch(`${base}${path}`, {
      method,
      headers: {
        ...edgeHeaders,
        ...(options.body === undefined ? {} : { 'content-type': 'application/json' }),
        ...(options.cookie === undefined ? {} : { cookie: options.cookie }),
        ...options.headers,
      },
      ...(options.body === undefined ? {} : { body: JSON.stringify(options.body) }),
    });
    const text = await response.text();
    return {
      status: response.status,
      headers: response.headers,
      body: text === '' ? {} : JSON.parse(text),
    };
  };
  return {
    portal,
    pool,
    superuser,
    redis,
    redisPrefix,
    url,
    edgeHeaders,
    setNow: (ms) => {
      nowMs = ms;
    },
    call,
    login: async (who = admin) => {
      const { headers } = await call('POST', '/login', { body: who });
      return headers.getSetCookie()[0]!.split(';')[0]!;
    },
  };
}
