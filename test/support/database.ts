import { randomBytes } from 'node:crypto';
import { Client } from 'pg';
import { afterAll, inject } from 'vitest';

export const templateDatabase = 'vote_template';

export interface TestDatabase {
  /** URL with a service's role, or with `postgres` for the superuser. */
  url(role: 'identity' | 'ledger' | 'publisher' | 'records' | 'portal' | 'postgres'): string;
}

/** A database of the newest schema for this file alone; dropped after the file's last test. */
export async function createTestDatabase(): Promise<TestDatabase> {
  const adminUrl = inject('stores').postgresAdminUrl;
  const name = `test_${randomBytes(6).toString('hex')}`;
  await run(adminUrl, `CREATE DATABASE ${name} TEMPLATE ${templateDatabase}`);
  afterAll(() => run(adminUrl, `DROP DATABASE ${name} WITH (FORCE)`));
  return {
    url: (role) => {
      const url = new URL(adminUrl);
      url.username = role;
      url.pathname = `/${name}`;
      return url.href;
    },
  };
}

/** Makes the empty database that every test's database is a copy of. */
export function createTemplate(adminUrl: string): Promise<void> {
  return run(adminUrl, `CREATE DATABASE ${templateDatabase}`);
}

async function run(url: string, statement: string): Promise<void> {
  const client = new Client({ connectionString: url });
  await client.connect();
  try {
    await client.query(statement);
  } finally {
    await client.end();
  }
}
