import { expect, test } from 'vitest';
import { createTestDatabase } from '../../support/database.ts';
import { createSession } from '../../support/votes.ts';

const database = await createTestDatabase();
const admin = database.pool('postgres');

const set = (sessionNo: number, what: string) =>
  admin.query(`UPDATE votes.voting_sessions SET ${what} WHERE session_no = $1`, [sessionNo]);
const refused = { code: 'VT409' };

const text = [
  `title = 'Another title'`,
  `options = options || '[{"option_id": "late", "label": "Late"}]'`,
  `options = jsonb_set(options, '{0,label}', '"Renamed"')`,
  `eligibility = '{account}'`,
];

test.each([...text, `opens_at = now() + interval '1 minute'`])(
  'once voting has opened, nobody changes %s',
  async (change) => {
    const { sessionNo } = await createSession(admin);
    await expect(set(sessionNo, change)).rejects.toMatchObject(refused);
  },
);

test.each(text)('before voting opens, it is possible to change %s', async (change) => {
  const { sessionNo } = await createSession(admin);
  const { rows } = await admin.query<{ session_no: number }>(
    `INSERT INTO votes.voting_sessions
       (session_id, title, options, opens_at, closes_at, eligibility, results_policy, created_by)
     SELECT gen_random_uuid(), title, options, now() + interval '10 minutes', closes_at,
       eligibility, results_policy, created_by
     FROM votes.voting_sessions WHERE session_no = $1 RETURNING session_no`,
    [sessionNo],
  );
  expect((await set(rows[0]!.session_no, change)).rowCount).toBe(1);
});

test('the end of an open session moves both ways; one that has passed, not to later', async () => {
  const { sessionNo } = await createSession(admin);
  await set(sessionNo, `closes_at = now() + interval '2 hours'`);
  await set(sessionNo, `closes_at = now() - interval '1 second'`);
  await expect(set(sessionNo, `closes_at = now() + interval '1 hour'`)).rejects.toMatchObject(
    refused,
  );
});

test('the portal brings a closing forward with 10 s notice by the database, whatever it asks', async () => {
  const portal = database.pool('portal', 1);
  const closesInS = async (sessionNo: number, closesAt: string): Promise<number> => {
    const { rows } = await portal.query<{ s: string; whole: boolean }>(
      `UPDATE votes.voting_sessions SET closes_at = ${closesAt} WHERE session_no = $1
       RETURNING extract(epoch FROM closes_at - clock_timestamp()) AS s,
         date_trunc('milliseconds', closes_at) = closes_at AS whole`,
      [sessionNo],
    );
    expect(rows[0]!.whole).toBe(true);
    return Number(rows[0]!.s);
  };
  const { sessionNo } = await createSession(admin);
  expect(await closesInS(sessionNo, `now() + interval '1 minute'`)).toBeCloseTo(60, 0);
  for (const asked of [`now() - interval '5 minutes'`, `now() + interval '9 seconds'`]) {
    const { sessionNo: other } = await createSession(admin);
    const given = await closesInS(other, asked);
    expect(given).toBeGreaterThanOrEqual(9.9);
    expect(given).toBeLessThan(10.1);
  }
  // One that is nearer than that stays.
  await set(sessionNo, `closes_at = date_trunc('milliseconds', now() + interval '3 seconds')`);
  expect(await closesInS(sessionNo, `now() - interval '5 minutes'`)).toBeLessThan(3.1);
});

test('a seal and a final statement are not taken back, nor replaced', async () => {
  const { sessionNo } = await createSession(admin, { closesInMs: -1000 });
  await set(sessionNo, `sealed_at = now(), version = version + 1`);
  await expect(set(sessionNo, 'sealed_at = NULL')).rejects.toMatchObject(refused);
  await set(sessionNo, `final_at = now(), final_statement = 'a'`);
  for (const change of [`final_statement = 'b'`, 'final_at = NULL, final_statement = NULL']) {
    await expect(set(sessionNo, change)).rejects.toMatchObject(refused);
  }
  // Results of a final session can still be released.
  expect((await set(sessionNo, 'released_at = now()')).rowCount).toBe(1);
});
