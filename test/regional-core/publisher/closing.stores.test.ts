import { randomBytes, randomUUID } from 'node:crypto';
import { afterAll, expect, test } from 'vitest';
import { sleep } from '#common/clock.ts';
import { type Act, actBody, signAct } from '#common/contracts/act.ts';
import { encodeStatement } from '#common/contracts/final.ts';
import { createSession, createSigningKey, type TestSession } from '../../support/votes.ts';
import { publisherUnderTest, until } from './publisher-under-test.ts';

const { pool, totals, sessions, others, startPublisher } = await publisherUnderTest();
const admin = pool('postgres');
await admin.query(`INSERT INTO votes.regions (region) VALUES ('us-east-1'), ('us-west-2')`);
await admin.query(
  `INSERT INTO votes.offsets (region_no, partition, cluster_id, topic_id)
   SELECT region_no, 0, 'cluster', $1 FROM votes.regions`,
  [randomUUID()],
);

// What a fail-over loses, no rule of the database keeps.
await admin.query('ALTER TABLE votes.voting_sessions DISABLE TRIGGER USER');

let publisher = await startPublisher();
afterAll(() => publisher.stop());

/** The ledger has read one more record of this session, and counted it for the option. */
async function count(sessionNo: number, optionNo: number, votes = 1): Promise<void> {
  await admin.query(
    `WITH reached AS (
       UPDATE votes.offsets SET next_offset = next_offset + 1 WHERE region_no = 1
       RETURNING next_offset
     ), judged AS (
       INSERT INTO votes.verdicts (session_no, region_no, partition, counted, next_offset)
       SELECT $1, 1, 0, 1, next_offset FROM reached
       ON CONFLICT (session_no, region_no, partition)
       DO UPDATE SET next_offset = excluded.next_offset
     )
     INSERT INTO votes.tallies AS t (session_no, option_no, region_no, partition, votes)
     VALUES ($1, $2, 1, 0, $3)
     ON CONFLICT (session_no, option_no, region_no, partition)
     DO UPDATE SET votes = t.votes + excluded.votes`,
    [sessionNo, optionNo, votes],
  );
}

/** Moves one vote from an option to another, as the seal's transaction does. */
async function correct(sessionNo: number, from: number, to: number): Promise<void> {
  await admin.query(
    `WITH moves AS (
       INSERT INTO votes.tallies (session_no, option_no, region_no, partition, votes)
       VALUES ($1, $2, 0, -1, -1), ($1, $3, 0, -1, 1)
     ), sealed AS (
       UPDATE votes.voting_sessions SET sealed_at = now(), version = version + 1
       WHERE session_no = $1
     )
     INSERT INTO votes.corrections (session_no, kind, moved) VALUES ($1, 'seal', 1)`,
    [sessionNo, from, to],
  );
}

async function makeFinal(session: TestSession, counts: number[], digest: string): Promise<void> {
  const act: Act = {
    act: 'finalise',
    session_id: session.sessionId,
    session_version: 2,
    digest,
    total: counts.reduce((sum, votes) => sum + votes, 0),
    counts,
    recounts: { rows: digest, tallies: 'equal', kafka: digest },
    covers: {},
  };
  const body = actBody(act);
  const statement = encodeStatement(
    body,
    [createSigningKey(), createSigningKey()].map((key) => signAct(body, key)),
  );
  await admin.query(
    `UPDATE votes.voting_sessions
     SET final_at = now(), final_statement = $2, version = version + 1 WHERE session_no = $1`,
    [session.sessionNo, statement],
  );
}

test('a correction is told with its totals, although no record was read', async () => {
  const { sessionId, sessionNo } = await createSession(admin, { closesInMs: 300 });
  await count(sessionNo, 0);
  await count(sessionNo, 0);
  const before = await until(
    () => totals.get(sessionId)?.counts?.[0] === 2 && totals.get(sessionId),
  );
  await correct(sessionNo, 0, 1);
  const after = await until(
    () => totals.get(sessionId)?.counts?.[1] === 1 && totals.get(sessionId),
  );
  expect(after).toMatchObject({ counts: [1, 1, 0], total_votes: 2, covers: before.covers });
  expect(after.corrected).toMatchObject([{ kind: 'seal', moved: 1 }]);
  expect(after.corrections).toBe(before.corrections! + 1);
  expect(after.sequence).toBe(before.sequence + 1);
  const session = await until(
    () => sessions.get(sessionId)?.version === 2 && sessions.get(sessionId),
  );
  expect(session.sealed_at_ms).toBeGreaterThan(Date.now() - 60_000);
});

test('a final result is told from its statement, and stays when the database forgets it', async () => {
  const session = await createSession(admin, { closesInMs: 300 });
  const { sessionId, sessionNo } = session;
  await count(sessionNo, 2, 5);
  await correct(sessionNo, 2, 0);
  const digest = randomBytes(32).toString('hex');
  await makeFinal(session, [1, 0, 4], digest);
  const told = await until(() => {
    const held = sessions.get(sessionId);
    return Boolean(held?.final) && held;
  });
  expect(told.final).toMatchObject({ digest, counts: [1, 0, 4], total: 5 });

  // A fail-over that lost both commits; the publisher is another process by then, too.
  await publisher.stop();
  await admin.query(
    `UPDATE votes.voting_sessions
     SET sealed_at = NULL, final_at = NULL, final_statement = NULL, version = 1
     WHERE session_no = $1`,
    [sessionNo],
  );
  publisher = await startPublisher();
  await until(() => publisher.running.notReady().length === 0);
  await sleep(300);
  expect(sessions.get(sessionId)).toEqual(told);

  // What is made of it anew is another result: it is not told, and somebody has to look.
  await makeFinal(session, [0, 0, 5], 'e'.repeat(64));
  await admin.query('UPDATE votes.voting_sessions SET version = 9 WHERE session_no = $1', [
    sessionNo,
  ]);
  await until(() => publisher.running.notReady()[0]?.includes('another final result'));
  const later = await until(
    () => sessions.get(sessionId)?.version === 9 && sessions.get(sessionId),
  );
  expect(later.final).toEqual(told.final);
  const figures = await until(() => totals.get(sessionId));
  expect(figures.total_votes).toBe(5);
  await makeFinal(session, [1, 0, 4], digest);
  await until(() => publisher.running.notReady().length === 0);
});

test('keys of seals are told with their regions', async () => {
  const key = createSigningKey();
  await admin.query('INSERT INTO votes.seal_keys (kid, region, x) VALUES ($1, $2, $3)', [
    key.kid,
    'us-east-1',
    key.publicJwk.x,
  ]);
  const message = await until(() => others.get('seal_keys'));
  expect(message).toMatchObject({ keys: [{ kid: key.kid, region: 'us-east-1' }] });
});

test('totals hold and are called stale while corrections are missing, and go on after', async () => {
  const { sessionId, sessionNo } = await createSession(admin, { closesInMs: 300 });
  await count(sessionNo, 0);
  await correct(sessionNo, 0, 1);
  await until(() => totals.get(sessionId)?.counts?.[1] === 1);
  await until(() => staleSince() === null && publisher.running.notReady().length === 0);
  const lost = await admin.query(
    'DELETE FROM votes.corrections WHERE session_no = $1 RETURNING *',
    [sessionNo],
  );
  await until(() => publisher.running.notReady().includes('behind'));
  const since = await until(() => staleSince() ?? undefined);
  expect(since).toBeGreaterThan(Date.now() - 15_000);

  // Another process finds in the topics what the one before it knew.
  await publisher.stop();
  publisher = await startPublisher();
  await until(() => publisher.running.notReady().includes('behind'));
  expect(staleSince()).toBe(since);

  await admin.query(
    'INSERT INTO votes.corrections SELECT * FROM jsonb_populate_record(NULL::votes.corrections, $1)',
    [JSON.stringify(lost.rows[0])],
  );
  await until(() => publisher.running.notReady().length === 0);
  await until(() => staleSince() === null);
});

test('a lost region is told with its epoch, and one who forgot it is not believed', async () => {
  expect(await until(() => others.get('regions'))).toMatchObject({ epoch: 1, lost: [] });
  await admin.query(
    `INSERT INTO votes.regions (region, stands_for) SELECT 'us-west-2@us-east-1', region_no
     FROM votes.regions WHERE region = 'us-west-2'`,
  );
  await admin.query(`UPDATE votes.regions SET lost_at = now() WHERE region LIKE 'us-west-2%'`);
  await admin.query('UPDATE votes.epoch SET epoch = 2');
  const { sessionId, sessionNo } = await createSession(admin);
  await until(() => others.get('regions')?.type === 'regions' && lostRegions().length > 0);
  expect(others.get('regions')).toMatchObject({ epoch: 2, lost: ['us-west-2'] });
  await count(sessionNo, 0);
  await until(() => totals.get(sessionId)?.epoch === 2 && totals.get(sessionId)?.total_votes === 1);

  await admin.query('UPDATE votes.epoch SET epoch = 1');
  await admin.query('UPDATE votes.regions SET lost_at = NULL');
  await until(() => publisher.running.notReady().includes('behind'));
  await count(sessionNo, 0);
  await sleep(500);
  expect(lostRegions()).toEqual(['us-west-2']);
  expect(totals.get(sessionId)?.total_votes).toBe(1);
});

function staleSince(): number | null | undefined {
  const message = others.get('totals_stale');
  return message?.type === 'totals_stale' ? message.since_ms : undefined;
}

function lostRegions(): readonly string[] {
  const message = others.get('regions');
  return message?.type === 'regions' ? message.lost : [];
}
