import { readdirSync, readFileSync } from 'node:fs';
import { Client } from 'pg';

/**
 * Brings a database to the newest schema: each `NNN-name.sql` once, in order, in a transaction of
 * its own. Safe to run by several at once and again. Throws with the file's name when one fails.
 */
export async function migrate(url: string): Promise<void> {
  const client = new Client({ connectionString: url, connectionTimeoutMillis: 5000 });
  await client.connect();
  try {
    // One migrator at a time; the lock ends with the connection. The number is this file's own.
    await client.query('SELECT pg_advisory_lock(7216413)');
    await client.query(
      `CREATE TABLE IF NOT EXISTS public.schema_migrations (
         name text PRIMARY KEY, applied_at timestamptz NOT NULL DEFAULT now())`,
    );
    const applied = await client.query<{ name: string }>('SELECT name FROM schema_migrations');
    const done = new Set(applied.rows.map((row) => row.name));
    for (const name of migrationNames()) if (!done.has(name)) await apply(client, name);
  } finally {
    await client.end();
  }
}

function migrationNames(): string[] {
  return readdirSync(import.meta.dirname)
    .filter((name) => /^\d{3}-[\w-]+\.sql$/.test(name))
    .toSorted();
}

async function apply(client: Client, name: string): Promise<void> {
  const sql = readFileSync(`${import.meta.dirname}/${name}`, 'utf8');
  try {
    await client.query('BEGIN');
    await client.query(sql);
    await client.query('INSERT INTO schema_migrations (name) VALUES ($1)', [name]);
    await client.query('COMMIT');
  } catch (error) {
    await client.query('ROLLBACK').catch(() => undefined);
    throw new Error(`migration ${name} failed: ${(error as Error).message}`, { cause: error });
  }
}
