import { type ClientBase, Pool, types } from 'pg';
import type { Log } from './log.ts';

export type { Pool, PoolClient, QueryResultRow } from 'pg';

// bigint columns hold offsets and counts. All of ours are proven to stay below 2^53, where a number
// is exact; one that is not must stop the query rather than be rounded.
const int8Oid = 20;
/** Not among the names that the driver's types know. */
const int8ArrayOid: number = 1016;
const toSafeInteger = (text: string): number => {
  const value = Number(text);
  if (!Number.isSafeInteger(value)) throw new RangeError(`bigint ${text} is not a safe integer`);
  return value;
};
types.setTypeParser(int8Oid, toSafeInteger);
// Ours have one dimension and no nulls.
types.setTypeParser(int8ArrayOid, (text) =>
  text === '{}' ? [] : text.slice(1, -1).split(',').map(toSafeInteger),
);

export interface PostgresOptions {
  readonly url: string;
  /** Shown in pg_stat_activity. */
  readonly applicationName: string;
  readonly connectionsMax: number;
  readonly log: Log;
  /** The newest writer that was told of, where anybody tells. */
  readonly writerTold?: () => WriterTold;
}

/** The newest writer that anybody has told of: a process that starts has seen none itself. */
export interface WriterTold {
  /** 0 before anything was told. */
  readonly epoch: number;
  /** The highest of that epoch; 0 when no timeline was told. */
  readonly timeline: number;
}

/**
 * A pool whose every wait is bounded: connecting 2 s, a statement 10 s, a lock 5 s, an idle
 * transaction 10 s (a stopped worker must not block its successor longer). A connection that breaks
 * is replaced; `leaveServer` drops all of them when the server is no longer the writer.
 *
 * Each new connection must reach the writer in force: not a standby, and not a server whose
 * timeline lies below one that this pool has seen, or that was told.
 */
export function createPool(options: PostgresOptions): Pool {
  const guard = new WriterGuard(options.writerTold ?? (() => nothingTold));
  // The pool waits for what this gives, and drops the connection when it rejects; its types do not
  // say so.
  const meetsWriter = { onConnect: (client: ClientBase): unknown => guard.check(client) };
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
    ...meetsWriter,
  });
  const clients = new Set<ClientBase>();
  pool.on('connect', (client) => clients.add(client));
  pool.on('remove', (client) => clients.delete(client));
  clientsOf.set(pool, clients);
  guards.set(pool, guard);
  // An idle connection that breaks says so here; the next query gets a new one.
  pool.on('error', (error) => options.log.warn({ err: error }, 'postgres connection lost'));
  return pool;
}

const clientsOf = new WeakMap<Pool, Set<ClientBase>>();

/**
 * Drops every connection at once, idle and busy: the next query resolves the address anew. What was
 * under way has an unknown outcome.
 */
export function leaveServer(pool: Pool): void {
  for (const client of clientsOf.get(pool) ?? []) {
    // Ending politely would wait for a query that a stopped server never answers.
    (client as ClientBase & ClientInternals).connection.stream.destroy();
  }
}

interface ClientInternals {
  readonly connection: { readonly stream: { destroy(): void } };
}

/** Refuses a connection to a standby, or to a server older than one seen or told of before. */
class WriterGuard {
  readonly #told: () => WriterTold;
  timelineSeen = 0;

  constructor(told: () => WriterTold) {
    this.#told = told;
  }

  async check(client: ClientBase): Promise<void> {
    const { rows } = await client.query<{ standby: boolean }>(
      'SELECT pg_is_in_recovery() AS standby',
    );
    if (rows[0]!.standby) throw new WriterError('25006', 'the server is a standby');
    const timeline = await readTimeline(client);
    if (timeline < this.timelineSeen) throw oldWriter(timeline, `${this.timelineSeen} was seen`);
    const told = this.#told();
    // A higher epoch is a database made anew, whose timelines begin again.
    if (timeline < told.timeline && (await readEpoch(client)) <= told.epoch) {
      throw oldWriter(timeline, `${told.timeline} was told`);
    }
    this.timelineSeen = Math.max(this.timelineSeen, timeline);
  }
}

const nothingTold: WriterTold = { epoch: 0, timeline: 0 };
const guards = new WeakMap<Pool, WriterGuard>();

/** The highest timeline that a pool has met; 0 before, and where servers tell none. */
export function timelineOf(pool: Pool): number {
  return guards.get(pool)?.timelineSeen ?? 0;
}

async function readEpoch(client: ClientBase): Promise<number> {
  const { rows } = await client.query<{ epoch: number }>('SELECT epoch FROM votes.epoch');
  return rows[0]!.epoch;
}

function oldWriter(timeline: number, why: string): WriterError {
  return new WriterError('VT001', `an old writer: timeline ${timeline}, and ${why}`);
}

class WriterError extends Error {
  readonly code: string;
  constructor(code: string, message: string) {
    super(message);
    this.name = 'WriterError';
    this.code = code;
  }
}

/** Rises with every promotion; 0 where the server does not tell, as some managed ones. */
async function readTimeline(client: ClientBase): Promise<number> {
  try {
    const { rows } = await client.query<{ timeline: number }>(
      // The first eight hex digits of a WAL file's name.
      `SELECT ('x' || left(pg_walfile_name(pg_current_wal_lsn()), 8))::bit(32)::integer AS timeline`,
    );
    return rows[0]!.timeline;
  } catch (error) {
    // 42501 not allowed, 42883 no such function, 0A000 not supported.
    const { code } = error as { code?: string };
    if (code === undefined || !['42501', '42883', '0A000'].includes(code)) throw error;
    return 0;
  }
}

/** SQLSTATE VT001: the database was left behind by a fail-over; another one is the truth. */
export function isOldWriterError(error: unknown): boolean {
  return (error as { code?: unknown } | undefined)?.code === 'VT001';
}

/** SQLSTATE 25006: the server has become a standby; the address must be resolved anew. */
export function isReadOnlyError(error: unknown): boolean {
  return (error as { code?: unknown } | undefined)?.code === '25006';
}

/**
 * SQLSTATEs that say "not now": 08 connection, 40 serialization and deadlock, 53 resources, 55P03
 * lock timeout, 57 cancelled, going down or coming up, 25006 a standby, VT001 an old writer.
 */
const awayStates = /^(08|40|53|57)|^(25006|55P03|VT001)$/;
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
