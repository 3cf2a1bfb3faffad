import { afterAll, expect, test } from 'vitest';
import { createLog } from '#common/log.ts';
import { createPool, type Pool, timelineOf, type WriterTold } from '#common/postgres.ts';
import { createTestDatabase } from '../../support/database.ts';

const database = await createTestDatabase();
const pools: Pool[] = [];
afterAll(() => Promise.all(pools.map((pool) => pool.end())));

/** A pool of a process that has just started: it has met no server itself. */
function freshPool(writer: WriterTold): Pool {
  const pool = createPool({
    url: database.url('ledger'),
    applicationName: 'test',
    connectionsMax: 1,
    writerTold: () => writer,
    log: createLog({ service: 'test' }, 'error'),
  });
  pools.push(pool);
  return pool;
}

test('a process that starts on a writer left behind is refused by what was told', async () => {
  const pool = freshPool({ epoch: 1, timeline: 1_000_000 });
  await expect(pool.query('SELECT 1')).rejects.toMatchObject({ code: 'VT001' });
  expect(timelineOf(pool)).toBe(0);
});

test('the writer that was told of is met, and a newer one', async () => {
  for (const timeline of [0, 1]) {
    const pool = freshPool({ epoch: 1, timeline });
    await pool.query('SELECT 1');
    expect(timelineOf(pool)).toBeGreaterThanOrEqual(1);
  }
});

test('a database of a higher epoch was made anew: its timelines begin again', async () => {
  const pool = freshPool({ epoch: 0, timeline: 1_000_000 });
  expect((await pool.query('SELECT 1')).rowCount).toBe(1);
});
