import { Pool, types } from 'pg';
import type { Log } from './log.ts';

export type { Pool } from 'pg';

// bigint columns hold offsets and counts. All of ours are proven to stay below 2^53, where a number
// is exact; one that is not must stop the query rather than be rounded.
const int8Oid = 20;
types.setTypeParser(int8Oid, (text) => {
  const value = Number(text);
  if (!Number.isSafeInteger(value)) throw new RangeError(`bigint ${text} is not a safe integer`);
  return value;
});

export interface PostgresOptions {
  readonly url: string;
  /** Shown in pg_stat_activity. */
  readonly applicationName: string;
  readonly connectionsMax: number;
  readonly log: Log;
}

/**
 * A pool whose every wait is bounded: connecting 2 s, a statement 10 s, a lock 5 s, an idle
 * transaction 10 s (a stopped worker must not block its successor longer). A connection that breaks
 * is replaced; a connection to a server that has become read-only is dropped by `isReadOnlyError`.
 */
export function createPool(options: PostgresOptions): Pool {
  const pool = new Pool({
    connectionString: options.url,
    application_name: options.applicationName,
    max: options.connectionsMax,
    connectionTimeoutMillis: 2000,
    idleTimeoutMillis: 30_000,
    keepAlive: true,
    statement_timeout: 10_000,
    query_timeout: 12_000,
    lock_timeout: 5000,
    idle_in_transaction_session_timeout: 10_000,
  });
  // An idle connection that breaks says so here; the next query gets a new one.
  pool.on('error', (error) => options.log.warn({ err: error }, 'postgres connection lost'));
  return pool;
}

/** SQLSTATE 25006: the server has become a standby; the address must be resolved anew. */
export function isReadOnlyError(error: unknown): boolean {
  return (error as { code?: unknown } | undefined)?.code === '25006';
}

/**
 * SQLSTATEs that say "not now": 08 connection, 40 serialization and deadlock, 53 resources, 55P03
 * lock timeout, 57 cancelled, going down or coming up, 25006 a standby.
 */
const awayStates = /^(08|40|53|57)|^(25006|55P03)$/;
const awayCodes = new Set(['ECONNREFUSED', 'ECONNRESET', 'EPIPE', 'ETIMEDOUT', 'ENOTFOUND']);
/** What pg throws without a code. */
const awayMessages =
  /^(timeout exceeded|Query read timeout|Connection terminated|Client has encountered a connection)/;

/** True for trouble that passes. A write that fails this way may have happened all the same. */
export function isPostgresAway(error: unknown): boolean {
  const { code, message } = (error ?? {}) as { code?: unknown; message?: unknown };
  if (typeof code === 'string') return awayStates.test(code) || awayCodes.has(code);
  return typeof message === 'string' && awayMessages.test(message);
}
