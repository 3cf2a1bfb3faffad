import { randomBytes } from 'node:crypto';
import { Client } from 'pg';
import { afterAll, inject } from 'vitest';
import { createLog } from '#common/log.ts';
import { createPool, type Pool } from '#common/postgres.ts';

export const templateDatabase = 'vote_template';

export interface TestDatabase {
  /** URL with a service's role, or with `postgres` for the superuser. */
  url(role: Role): string;
  /** Connections with that role, as services make them; ended after the file's last test. */
  pool(role: Role, connectionsMax?: number): Pool;
}

type Role = 'identity' | 'ledger' | 'publisher' | 'records' | 'portal' | 'postgres';

/** A database of the newest schema for this file alone; dropped after the file's last test. */
export async function createTestDatabase(): Promise<TestDatabase> {
  const adminUrl = inject('stores').postgresAdminUrl;
  const name = `test_${randomBytes(6).toString('hex')}`;
  await run(adminUrl, `CREATE DATABASE ${name} TEMPLATE ${templateDatabase}`);
  const pools: Pool[] = [];
  afterAll(async () => {
    await Promise.all(pools.map((pool) => pool.end()));
    await run(adminUrl, `DROP DATABASE ${name} WITH (FORCE)`);
  });
  const urlOf = (role: Role): string => {
    const url = new URL(adminUrl);
    url.username = role;
    url.pathname = `/${name}`;
    return url.href;
  };
  return {
    url: urlOf,
    pool: (role, connectionsMax = 2) => {
      const log = createLog({ service: 'test' }, 'error');
      const url = urlOf(role);
      const pool = createPool({ url, applicationName: 'test', connectionsMax, log });
      pools.push(pool);
      return pool;
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
