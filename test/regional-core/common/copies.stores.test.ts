import { randomUUID } from 'node:crypto';
import { afterAll, beforeEach, describe, expect, test } from 'vitest';
import { systemClock } from '#common/clock.ts';
import { copiesWaitMsMax, createCopies, type Db } from '#common/copies.ts';
import { ServiceError } from '#common/errors.ts';
import { createLog } from '#common/log.ts';
import { createPool } from '#common/postgres.ts';
import { startReplicatedPostgres } from '../../support/replica.ts';

const postgres = await startReplicatedPostgres();
const pool = createPool({
  url: postgres.url('portal'),
  applicationName: 'test',
  connectionsMax: 3,
  log: createLog({ service: 'test' }, 'error'),
});
afterAll(() => pool.end());

let late = 0;
function copiesOf(copiesMin: number) {
  return createCopies({ pool, copiesMin, clock: systemClock, onLate: () => late++ });
}
const one = copiesOf(1);

/** An admin of this address, safe to ask for twice. */
function makeAdmin(email: string) {
  return async (db: Db): Promise<string> => {
    await db.query(
      `INSERT INTO portal.admins (email, password_hash, role) VALUES ($1, 'x', 'admin')
       ON CONFLICT DO NOTHING`,
      [email],
    );
    return email;
  };
}
const isThere = async (email: string): Promise<boolean> =>
  (await pool.query('SELECT FROM portal.admins WHERE email = $1', [email])).rowCount === 1;

beforeEach(() => {
  late = 0;
});

describe('what is answered when a copy has it', () => {
  test('is answered within moments while the copy follows', async () => {
    const startedMs = performance.now();
    for (let no = 0; no < 20; no++) await one.write(makeAdmin(`follows-${no}@vote.example`));
    expect((performance.now() - startedMs) / 20).toBeLessThan(1000);
    expect(late).toBe(0);
  });

  test('is unknown, within a bound, while the copy does not replay; asked again, it succeeds', async () => {
    const email = 'paused@vote.example';
    await postgres.pauseReplay();
    const startedMs = performance.now();
    const asked = await one.write(makeAdmin(email)).catch((error: unknown) => error);
    const tookMs = performance.now() - startedMs;
    const again = await one.write(makeAdmin(email)).catch((error: unknown) => error);
    await postgres.resumeReplay();
    expect(asked).toMatchObject({ code: 'outcome_unknown', status: 503, retryAfterS: 2 });
    expect(tookMs).toBeGreaterThan(copiesWaitMsMax - 200);
    expect(tookMs).toBeLessThan(copiesWaitMsMax + 1000);
    // It stands at the writer, and is still not told: only the writer has it.
    expect(again).toMatchObject({ code: 'outcome_unknown' });
    expect(await isThere(email)).toBe(true);
    expect(late).toBe(2);
    expect(await one.write(makeAdmin(email))).toBe(email);
  });

  test('holds for what was only read: another process may have written it just now', async () => {
    await postgres.pauseReplay();
    await copiesOf(0).write(makeAdmin('read@vote.example'));
    const read = one.write((db) => db.query('SELECT FROM portal.admins'));
    const answer = await read.catch((error: unknown) => error);
    await postgres.resumeReplay();
    expect(answer).toMatchObject({ code: 'outcome_unknown' });
  });

  test('is unknown when there are fewer copies than asked for', async () => {
    const answer = copiesOf(2).write(makeAdmin('two@vote.example'));
    await expect(answer).rejects.toMatchObject({ code: 'outcome_unknown' });
  });

  test('a refusal needs no copy, and gives its connection back', async () => {
    await postgres.pauseReplay();
    const refused = new ServiceError('not_found');
    for (let no = 0; no < 5; no++) {
      await expect(one.write(() => Promise.reject(refused))).rejects.toBe(refused);
    }
    await postgres.resumeReplay();
    expect([pool.idleCount, pool.waitingCount]).toEqual([pool.totalCount, 0]);
  });

  test('with no copies asked for, nothing is waited for', async () => {
    await postgres.pauseReplay();
    const email = `${randomUUID()}@vote.example`;
    const startedMs = performance.now();
    expect(await copiesOf(0).write(makeAdmin(email))).toBe(email);
    await postgres.resumeReplay();
    expect(performance.now() - startedMs).toBeLessThan(copiesWaitMsMax);
  });

  test('roles that decide nothing cannot ask for positions', async () => {
    const { rows } = await pool.query(
      `SELECT has_function_privilege('ledger', 'votes.copies_with(numeric)', 'EXECUTE') AS ledger,
         has_function_privilege('identity', 'votes.copies_with(numeric)', 'EXECUTE') AS identity`,
    );
    expect(rows).toEqual([{ ledger: false, identity: true }]);
  });

  // The last one: the writer does not come back.
  test('is unknown when the writer dies while the copy lags', async () => {
    await postgres.pauseReplay();
    const asked = one.write(makeAdmin('dies@vote.example')).catch((error: unknown) => error);
    await systemClockSleep(500);
    await postgres.killWriter();
    expect(await asked).toMatchObject({ code: 'outcome_unknown' });
  });
});

function systemClockSleep(ms: number): Promise<void> {
  return new Promise((resolve) => void systemClock.after(ms, resolve));
}
