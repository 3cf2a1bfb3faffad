import type { Pool, PoolClient, QueryResultRow } from '#common/postgres.ts';

/** What grows with a session's votes: 3 million conflicts to settle, 300 million rows to digest. */
const lengthMs = 30 * 60_000;

/**
 * Runs one statement that may take long, in a transaction of its own whose time-out is 30 minutes
 * in place of 10 seconds. It happens whole or not at all.
 */
export async function queryAtLength<Row extends QueryResultRow>(
  pool: Pool,
  text: string,
  values: readonly unknown[] = [],
): Promise<Row[]> {
  const client = await pool.connect();
  try {
    await client.query('BEGIN');
    await client.query(`SET LOCAL statement_timeout = ${lengthMs}`);
    const rows = await queryRows<Row>(client, text, values);
    await client.query('COMMIT');
    client.release();
    return rows;
  } catch (error) {
    // Whatever state it is in: the next one gets a new connection.
    client.release(true);
    throw error;
  }
}

async function queryRows<Row extends QueryResultRow>(
  client: PoolClient,
  text: string,
  values: readonly unknown[],
): Promise<Row[]> {
  const query = { text, values: [...values], query_timeout: lengthMs };
  return (await client.query<Row>(query)).rows;
}
