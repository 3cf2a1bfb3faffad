import type { Pool, PoolClient, QueryResultRow } from '#common/postgres.ts';

/** What grows with a session's votes: 3 million conflicts to settle, 300 million rows to digest. */
const lengthMs = 30 * 60_000;

/**
 * Runs one statement that may take long, in a transaction of its own whose time-out is 30 minutes
 * in place of 10 seconds. It happens whole or not at all. When `ending` aborts it is cancelled, and
 * this rejects: another worker does it anew, and a drain waits for nobody that long.
 */
export async function queryAtLength<Row extends QueryResultRow>(
  pool: Pool,
  text: string,
  values: readonly unknown[],
  ending: AbortSignal,
): Promise<Row[]> {
  ending.throwIfAborted();
  const client = await pool.connect();
  const done = new AbortController();
  try {
    await client.query('BEGIN');
    await client.query(`SET LOCAL statement_timeout = ${lengthMs}`);
    const pid = await pidOf(client);
    ending.throwIfAborted();
    const rows = await Promise.race([
      queryRows<Row>(client, text, values),
      cancelled(pool, pid, ending, done.signal),
    ]);
    // From here on nobody cancels: it would hit whatever this connection does next.
    done.abort();
    ending.throwIfAborted();
    await client.query('COMMIT');
    client.release();
    return rows;
  } catch (error) {
    // Whatever state it is in: the next one gets a new connection.
    done.abort();
    client.release(true);
    throw error;
  }
}

/** Never resolves. Rejects once `ending` has aborted and the server was told, or did not hear it. */
function cancelled(
  pool: Pool,
  pid: number,
  ending: AbortSignal,
  done: AbortSignal,
): Promise<never> {
  return new Promise((_, reject) => {
    const cancel = async (): Promise<void> => {
      // Out of reach it ends by itself: without a COMMIT nothing of it stays.
      await pool.query('SELECT pg_cancel_backend($1)', [pid]).catch(() => undefined);
      reject(ending.reason);
    };
    ending.addEventListener('abort', () => void cancel(), { once: true, signal: done });
  });
}

async function pidOf(client: PoolClient): Promise<number> {
  const { rows } = await client.query<{ pid: number }>('SELECT pg_backend_pid() AS pid');
  return rows[0]!.pid;
}

async function queryRows<Row extends QueryResultRow>(
  client: PoolClient,
  text: string,
  values: readonly unknown[],
): Promise<Row[]> {
  const query = { text, values: [...values], query_timeout: lengthMs };
  return (await client.query<Row>(query)).rows;
}
