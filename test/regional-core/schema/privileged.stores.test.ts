import { Client } from 'pg';
import { expect, inject, test } from 'vitest';
import { templateDatabase } from '../../support/database.ts';

/** The migrated database itself: what is granted on a database is not copied with it. */
async function ask(statement: string): Promise<unknown[]> {
  const url = new URL(inject('stores').postgresAdminUrl);
  url.pathname = `/${templateDatabase}`;
  const client = new Client({ connectionString: url.href });
  await client.connect();
  try {
    return (await client.query(statement)).rows;
  } finally {
    await client.end();
  }
}

test('functions that run with the rights of their owner look at temporary tables last', async () => {
  const ours = `FROM pg_proc
    WHERE prosecdef AND pronamespace::regnamespace::text IN ('votes', 'identity', 'portal')`;
  expect(await ask(`SELECT count(*) > 10 AS many ${ours}`)).toEqual([{ many: true }]);
  expect(
    await ask(`SELECT oid::regprocedure::text AS name, proconfig ${ours}
      AND proconfig IS DISTINCT FROM '{"search_path=pg_catalog, pg_temp"}'`),
  ).toEqual([]);
});

test('no service makes temporary tables', async () => {
  expect(
    await ask(`SELECT rolname FROM pg_roles
      WHERE rolname IN ('identity', 'ledger', 'publisher', 'records', 'portal')
        AND has_database_privilege(rolname, current_database(), 'TEMPORARY')`),
  ).toEqual([]);
});
