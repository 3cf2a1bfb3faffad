import { expect, test } from 'vitest';
import { sleep, systemClock } from '#common/clock.ts';
import { leaveServer } from '#common/postgres.ts';
import {
  BalanceMeasuring,
  measureBalances,
} from '../../../../regional-core/records/balance/gauges.ts';
import { createSession } from '../../../support/votes.ts';
import { startTestRecords } from '../test-records.ts';

const it = await startTestRecords();
const { superuser } = it;
const session = await createSession(superuser);
const other = await createSession(superuser);
const east = await regionNo('us-east-1');
const west = await regionNo('us-west-2');

async function regionNo(region: string): Promise<number> {
  const { rows } = await superuser.query<{ no: number }>('SELECT votes.region_no($1) AS no', [
    region,
  ]);
  return rows[0]!.no;
}

/** What the ledger said and the log counter counted of one partition. */
async function stand(
  region: number,
  partition: number,
  ledger: { next: number; counted: number; duplicate?: number },
  log: { next: number; accepted: number },
): Promise<void> {
  await superuser.query(
    `INSERT INTO votes.offsets (region_no, partition, cluster_id, topic_id, next_offset)
     VALUES ($1, $2, 'cluster', gen_random_uuid(), $3)
     ON CONFLICT (region_no, partition) DO UPDATE SET next_offset = excluded.next_offset`,
    [region, partition, ledger.next],
  );
  await superuser.query(
    `INSERT INTO votes.verdicts (session_no, region_no, partition, counted, duplicate, next_offset)
     VALUES ($1, $2, $3, $4, $5, $6)
     ON CONFLICT (session_no, region_no, partition)
     DO UPDATE SET counted = excluded.counted, duplicate = excluded.duplicate`,
    [session.sessionNo, region, partition, ledger.counted, ledger.duplicate ?? 0, ledger.next],
  );
  await superuser.query(
    `INSERT INTO votes.log_counts VALUES ($1, $2, $3)
     ON CONFLICT (region_no, partition) DO UPDATE SET next_offset = excluded.next_offset`,
    [region, partition, log.next],
  );
  await superuser.query(
    `INSERT INTO votes.log_session_counts VALUES ($1, $2, $3, $4)
     ON CONFLICT (session_id, region_no, partition) DO UPDATE SET accepted = excluded.accepted`,
    [session.sessionId, region, partition, log.accepted],
  );
}

const path = `/internal/v1/sessions/${session.sessionId}/balance`;

test('a session without records balances at nothing', async () => {
  const answer = await it.get(`/internal/v1/sessions/${other.sessionId}/balance`);
  expect([answer.status, answer.body['accepted'], answer.body['pending']]).toEqual([200, 0, 0]);
});

test('adds up over regions and partitions, with the offsets it was compared at', async () => {
  await stand(east, 0, { next: 10, counted: 7, duplicate: 3 }, { next: 12, accepted: 12 });
  await stand(east, 1, { next: 4, counted: 4 }, { next: 4, accepted: 4 });
  await stand(west, 0, { next: 0, counted: 0 }, { next: 5, accepted: 2 });
  const answer = await it.get(path);
  expect([answer.status, answer.body]).toEqual([
    200,
    {
      session_id: session.sessionId,
      accepted: 18,
      counted: 11,
      duplicate: 3,
      replayed: 0,
      late: 0,
      quarantined: 0,
      void: 0,
      pending: 4,
      control: 0,
      unread: 0,
      off: 0,
      minutes: [],
      as_of: {
        log: { 'us-east-1': [12, 4], 'us-west-2': [5] },
        ledger: { 'us-east-1': [10, 4], 'us-west-2': [0] },
      },
    },
  ]);
});

test('waits for a log counter that is behind the ledger', async () => {
  await stand(east, 1, { next: 9, counted: 9 }, { next: 4, accepted: 4 });
  const asked = it.get(path);
  await new Promise((resolve) => setTimeout(resolve, 300));
  await stand(east, 1, { next: 9, counted: 9 }, { next: 9, accepted: 9 });
  const answer = await asked;
  expect([answer.status, answer.body['accepted'], answer.body['pending']]).toEqual([200, 23, 4]);
});

test('answers 503 when the log counter stays behind', async () => {
  await stand(east, 1, { next: 9, counted: 9 }, { next: 4, accepted: 4 });
  const answer = await it.get(path);
  expect([answer.status, answer.body['error']]).toEqual([503, 'not_ready']);
  await stand(east, 1, { next: 9, counted: 9 }, { next: 9, accepted: 9 });
});

test.each(['3b241101-e2bb-4255-8caf-4136c566a962', 'nonsense'])(
  'knows no session %s',
  async (id) => {
    const answer = await it.get(`/internal/v1/sessions/${id}/balance`);
    expect([answer.status, answer.body['error']]).toEqual([404, 'not_found']);
  },
);

test('the gauges say how open sessions stand, and when one is off', async () => {
  const measuring = new BalanceMeasuring(it.records);
  await measuring.measure();
  const read = async (name: string) => {
    const text = await it.registry.getSingleMetricAsString(name);
    return text.split('\n').filter((line) => line.includes(session.sessionId));
  };
  const own = `session_id="${session.sessionId}"`;
  expect(await read('session_records')).toEqual(
    expect.arrayContaining([
      `session_records{${own},verdict="accepted"} 23`,
      `session_records{${own},verdict="counted"} 16`,
      `session_records{${own},verdict="pending"} 4`,
    ]),
  );
  expect(await read('session_balance_off_records')).toEqual([
    `session_balance_off_records{${own}} 0`,
  ]);
  await stand(east, 1, { next: 9, counted: 6 }, { next: 9, accepted: 9 });
  await measuring.measure();
  expect(await read('session_balance_off_records')).toEqual([
    `session_balance_off_records{${own}} 3`,
  ]);
  // The ledger read nine records of that partition and says of six how they ended.
  await new BalanceMeasuring(it.records).measure();
  const logs = await it.registry.getSingleMetricAsString('log_balance_off_records');
  expect(logs).toContain('log_balance_off_records{log="us-east-1"} 3');
});

test('each minute keeps its last reading and its worst difference', async () => {
  let nowMs = Date.now() + 120_000;
  const measuring = new BalanceMeasuring({
    ...it.records,
    clock: { ...systemClock, now: () => nowMs },
  });
  await stand(east, 1, { next: 9, counted: 6 }, { next: 9, accepted: 9 });
  await measuring.measure();
  await stand(east, 1, { next: 9, counted: 9 }, { next: 9, accepted: 9 });
  await measuring.measure();
  nowMs += 60_000;
  await measuring.measure();
  const { body } = await it.get(path);
  const minutes = (body['minutes'] as { minute: string; accepted: number; off: number }[]).slice(
    -2,
  );
  expect(minutes).toMatchObject([
    { accepted: 23, counted: 16, pending: 4, control: 0, off: 3 },
    { accepted: 23, counted: 16, off: 0 },
  ]);
  expect(Date.parse(minutes[1]!.minute) - Date.parse(minutes[0]!.minute)).toBe(60_000);

  nowMs += 10 * 24 * 3_600_000;
  const later = { ...it.records, clock: { ...systemClock, now: () => nowMs } };
  await new BalanceMeasuring(later).measure();
  expect((await it.get(path)).body['minutes']).toEqual([]);
});

test('a counter that stays behind is an alarm, said once', async () => {
  let monotonicMs = 0;
  const clock = { ...systemClock, monotonicMs: () => monotonicMs };
  const said: string[] = [];
  const error = ({ session_id }: { session_id: string }, text: string) =>
    session_id === session.sessionId && said.push(text);
  const log = { ...it.records.log, error };
  const measuring = new BalanceMeasuring({ ...it.records, clock, log: log as never });
  await stand(east, 1, { next: 9, counted: 9 }, { next: 4, accepted: 4 });
  await measuring.measure();
  monotonicMs = 29_000;
  await measuring.measure();
  expect(said).toEqual([]);
  for (monotonicMs = 31_000; monotonicMs < 40_000; monotonicMs += 1000) await measuring.measure();
  expect(said).toEqual(['the balance cannot be compared: the log counter stays behind the ledger']);
});

/** Ids of the sessions that the gauge speaks of. */
async function toldOf(name: string): Promise<Set<string>> {
  const text = await it.registry.getSingleMetricAsString(name);
  return new Set([...text.matchAll(/session_id="([^"]+)"/g)].map(([, id]) => id!));
}

test('a session is measured for as long as its seals are awaited, and five minutes longer', async () => {
  const closed = await createSession(superuser, { closesInMs: -30_000 });
  const isMeasured = async (inMs: number): Promise<boolean> => {
    const clock = { ...systemClock, now: () => Date.now() + inMs };
    await new BalanceMeasuring({ ...it.records, clock }).measure();
    return (await toldOf('session_balance_off_records')).has(closed.sessionId);
  };
  expect(await isMeasured(3_600_000)).toBe(true);
  // Nobody can count again what the log has dropped.
  expect(await isMeasured(8 * 24 * 3_600_000)).toBe(false);
  await superuser.query(
    'UPDATE votes.voting_sessions SET sealed_at = now() WHERE session_no = $1',
    [closed.sessionNo],
  );
  expect(await isMeasured(4 * 60_000)).toBe(true);
  expect(await isMeasured(6 * 60_000)).toBe(false);
});

test('beyond fifty they take turns, an alarm stays, and who waits for a minute is counted', async () => {
  const many = await Promise.all(Array.from({ length: 60 }, () => createSession(superuser)));
  let monotonicMs = 0;
  const clock = { ...systemClock, monotonicMs: () => monotonicMs };
  const measuring = new BalanceMeasuring({ ...it.records, clock });
  await stand(east, 1, { next: 9, counted: 6 }, { next: 9, accepted: 9 });
  const seen = new Set<string>();
  for (let turn = 0; turn < 2; turn += 1) {
    await measuring.measure();
    const told = await toldOf('session_balance_age_seconds');
    expect(told.size).toBe(50);
    for (const id of told) seen.add(id);
  }
  for (const { sessionId } of [session, ...many]) expect(seen.has(sessionId)).toBe(true);
  for (let turn = 0; turn < 2; turn += 1) {
    await measuring.measure();
    expect(await toldOf('session_balance_off_records')).toContain(session.sessionId);
  }
  const waiting = () => it.registry.getSingleMetricAsString('balance_sessions_not_measured');
  expect(await waiting()).toMatch(/measured 0$/m);
  monotonicMs = 61_000;
  await measuring.measure();
  expect(await waiting()).toMatch(/measured 1[0-9]$/m);
  await stand(east, 1, { next: 9, counted: 9 }, { next: 9, accepted: 9 });
}, 60_000);

test('a server that has become a standby is left at the first write', async () => {
  const { rows } = await superuser.query<{ name: string }>('SELECT current_database() AS name');
  const role = `ALTER ROLE records IN DATABASE ${rows[0]!.name}`;
  // As a connection to a demoted writer: it reads, and refuses to write, for as long as it lives.
  await superuser.query(`${role} SET default_transaction_read_only = on`);
  leaveServer(it.pool);
  await sleep(100);
  const readOnly = () => {
    const ask = async () => {
      // Asleep for a moment, so that each question has a connection of its own.
      const asked = await it.pool.query<{ on: string }>(
        `SELECT current_setting('transaction_read_only') AS on FROM pg_sleep(0.05)`,
      );
      return asked.rows[0]!.on;
    };
    return Promise.all([ask(), ask(), ask()]);
  };
  expect(await readOnly()).toEqual(['on', 'on', 'on']);
  await superuser.query(`${role} RESET default_transaction_read_only`);
  const ending = new AbortController();
  const running = measureBalances(it.records, ending.signal);
  await sleep(300);
  ending.abort();
  await running;
  expect(await readOnly()).toEqual(['off', 'off', 'off']);
});
