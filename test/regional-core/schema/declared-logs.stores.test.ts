import { expect, test } from 'vitest';
import { createTestDatabase } from '../../support/database.ts';
import { createSession } from '../../support/votes.ts';

const database = await createTestDatabase();
const admin = database.pool('postgres', 1);
const portal = database.pool('portal', 1);
const ledger = database.pool('ledger', 1);

const logs = ['us-east-1', 'us-west-2', 'us-west-2@us-east-1', 'us-east-1@us-west-2'];
const declare = () => portal.query('SELECT votes.declare_logs($1)', [logs]);
const listed = async () =>
  (
    await admin.query(
      `SELECT log.region AS log, origin.region AS stands_for, log.lost_at IS NOT NULL AS lost
       FROM votes.regions log LEFT JOIN votes.regions origin ON origin.region_no = log.stands_for
       ORDER BY log.region_no`,
    )
  ).rows;

/** A ledger that has read a log of one partition through the session's seal. */
async function readThrough(log: string, sessionNo: number): Promise<void> {
  await admin.query(
    `WITH layout AS (
       UPDATE votes.regions SET layout_read_at = now() WHERE region = $1
     ), place AS (
       INSERT INTO votes.offsets
         (region_no, partition, cluster_id, topic_id, next_offset, log_end, read_at)
       SELECT region_no, 0, 'c', gen_random_uuid(), 1, 1, now() FROM votes.regions
       WHERE region = $1
       ON CONFLICT (region_no, partition) DO UPDATE SET next_offset = 1
       RETURNING region_no)
     INSERT INTO votes.seals
     SELECT $2, region_no, 0, 0, now() - interval '1 second', 'k', '' FROM place`,
    [log, sessionNo],
  );
}

const isReadThrough = async (sessionNo: number): Promise<boolean> => {
  const { rows } = await ledger.query<{ read: boolean }>(
    'SELECT votes.is_read_through($1) AS read',
    [sessionNo],
  );
  return rows[0]!.read;
};

test('are known before anybody reads them, again as they are, and lost ones stay lost', async () => {
  await declare();
  const declared = logs.map((log) => ({
    log,
    stands_for: log.includes('@') ? log.split('@')[0] : null,
    lost: false,
  }));
  expect(await listed()).toEqual(declared);
  await admin.query("UPDATE votes.regions SET lost_at = now() WHERE region = 'us-west-2'");
  await declare();
  expect(await listed()).toEqual(
    declared.map((row) => ({ ...row, lost: row.log === 'us-west-2' })),
  );
  await admin.query('UPDATE votes.regions SET lost_at = NULL');
});

test('a session is not read through while a declared region was never heard of', async () => {
  const { sessionNo } = await createSession(admin, { closesInMs: -1000 });
  await readThrough('us-east-1', sessionNo);
  expect(await isReadThrough(sessionNo)).toBe(false);
  await readThrough('us-west-2', sessionNo);
  expect(await isReadThrough(sessionNo)).toBe(true);
});

test('nor while the declared copies of a lost region were not', async () => {
  const { sessionNo } = await createSession(admin, { closesInMs: -1000 });
  await readThrough('us-east-1', sessionNo);
  await admin.query("UPDATE votes.regions SET lost_at = now() WHERE region = 'us-west-2'");
  expect(await isReadThrough(sessionNo)).toBe(false);
  await readThrough('us-west-2@us-east-1', sessionNo);
  expect(await isReadThrough(sessionNo)).toBe(true);
});
