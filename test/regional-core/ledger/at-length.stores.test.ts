import { expect, test, vi } from 'vitest';
import { queryAtLength } from '../../../regional-core/ledger/sql/at-length.ts';
import { createTestDatabase } from '../../support/database.ts';

const database = await createTestDatabase();
const [ledger, admin] = [database.pool('ledger', 2), database.pool('postgres')];

async function running(): Promise<number> {
  const { rows } = await admin.query(
    `SELECT FROM pg_stat_activity WHERE usename = 'ledger' AND state = 'active'
       AND datname = current_database() AND query LIKE '%pg_sleep%'`,
  );
  return rows.length;
}

test('a statement at length is cancelled in the server when the ledger ends', async () => {
  const ending = new AbortController();
  const asked = queryAtLength(ledger, 'SELECT pg_sleep(60)', [], ending.signal);
  const ended = asked.then(
    () => 'answered',
    () => 'cancelled',
  );
  await vi.waitFor(async () => expect(await running()).toBe(1), 5000);
  const startedMs = performance.now();
  ending.abort();
  expect(await ended).toBe('cancelled');
  expect(performance.now() - startedMs).toBeLessThan(2000);
  await vi.waitFor(async () => expect(await running()).toBe(0), 2000);
  await expect(queryAtLength(ledger, 'SELECT 1', [], ending.signal)).rejects.toThrow();
});

test('one that has ended is answered, and nothing on its connection is cancelled later', async () => {
  const ending = new AbortController();
  const rows = await queryAtLength(ledger, 'SELECT $1::int AS one', [1], ending.signal);
  expect(rows).toEqual([{ one: 1 }]);
  const next = ledger.query('SELECT pg_sleep(0.5)');
  ending.abort();
  expect((await next).rowCount).toBe(1);
});
