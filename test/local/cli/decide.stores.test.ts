import { mkdtemp, readFile, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeEach, describe, expect, test } from 'vitest';
import { type Clock, systemClock } from '#common/clock.ts';
import { actBody, actHash } from '#common/contracts/act.ts';
import { encodeStatement } from '#common/contracts/final.ts';
import { ensureApprovalKey, readApprovalKey } from '../../../local/cli/approval-key.ts';
import { actOf, finaliseSession } from '../../../local/cli/finalise-session.ts';
import type { Recount } from '../../../local/cli/recount/recount-session.ts';
import { recoverRegion } from '../../../local/cli/recover-region.ts';
import { submitAct } from '../../../local/cli/submit-act.ts';
import { logIn, PortalRefusal } from '../../../local/portal-client.ts';
import { admin, second, startTestPortal } from '../../admin-portal/api/test-portal.ts';
import { createSession } from '../../support/votes.ts';

const it = await startTestPortal();
const folder = await mkdtemp(join(tmpdir(), 'vote-keys-'));
afterAll(() => rm(folder, { recursive: true, force: true }));

async function person(login: typeof admin) {
  const client = await logIn(it.url, login, it.edgeHeaders);
  const { key } = await ensureApprovalKey(join(folder, `${login.email}.jwk`), login.email);
  await client.post('/approval-keys', { x: key.publicJwk.x });
  return { client, key };
}

const anna = await person(admin);
const ben = await person(second);

/** Moves on by what it is asked to wait for, and a little. */
function quickClock(): Pick<Clock, 'after' | 'monotonicMs'> {
  let nowMs = 0;
  return {
    monotonicMs: () => nowMs,
    after: (ms, act) => {
      nowMs += ms;
      return systemClock.after(5, act);
    },
  };
}

function output() {
  const written: string[] = [];
  return { write: (text: string) => void written.push(text), text: () => written.join('') };
}

describe('a key of one’s own', () => {
  test('is made once, readable by its owner alone, and is registered again without harm', async () => {
    const path = join(folder, `${second.email}.jwk`);
    expect((await stat(path)).mode & 0o777).toBe(0o600);
    const before = await readFile(path, 'utf8');
    expect((await person(second)).key.kid).toBe(ben.key.kid);
    expect(await readFile(path, 'utf8')).toBe(before);
  });

  test('of somebody else, or none, is said so', async () => {
    const path = join(folder, `${second.email}.jwk`);
    await expect(ensureApprovalKey(path, 'carol@vote.example')).rejects.toThrow(
      `The key in ${path} belongs to ben@vote.example.`,
    );
    expect(() => readApprovalKey(join(folder, 'none'))).toThrow(/make one with npm run approve/);
  });

  test('a wrong password is said in words', async () => {
    const wrong = logIn(it.url, { ...admin, password: 'wrong' }, it.edgeHeaders);
    await expect(wrong).rejects.toThrow(
      `${admin.email} cannot log in: The e-mail address or the password is not right.`,
    );
    await expect(wrong).rejects.toBeInstanceOf(PortalRefusal);
  });
});

describe('a final result', () => {
  async function sealed(counts: readonly number[]) {
    const session = await createSession(it.superuser, { closesInMs: -1000, options: 2 });
    for (const [optionNo, votes] of counts.entries()) {
      await it.superuser.query('INSERT INTO votes.tallies VALUES ($1, $2, 1, 0, $3)', [
        session.sessionNo,
        optionNo,
        votes,
      ]);
    }
    await it.superuser.query(
      'UPDATE votes.voting_sessions SET sealed_at = now() WHERE session_no = $1',
      [session.sessionNo],
    );
    return session;
  }

  function recountOf(counts: readonly number[], changes: Partial<Recount> = {}): Recount {
    const result = { counts, total: counts.reduce((a, b) => a + b, 0), digest: 'd1'.repeat(32) };
    return {
      session: { title: 'A session', option_ids: ['a', 'b'], version: 1 },
      isProvisional: false,
      covers: {},
      rows: result,
      tallies: result,
      kafka: result,
      notes: [],
      differences: [],
      ...changes,
    } as unknown as Recount;
  }

  const finalise = (
    who: typeof anna,
    { sessionId }: { readonly sessionId: string },
    recount: Recount,
    write: (text: string) => void,
  ) =>
    finaliseSession(
      {
        ...who,
        recount: () => Promise.resolve(recount),
        write,
        clock: quickClock(),
        resultsUrl: 'http://localhost',
      },
      sessionId,
    );

  test('is signed by two who counted for themselves, and shown when it stands', async () => {
    const session = await sealed([3, 4]);
    const [first, again, last, later] = [output(), output(), output(), output()];
    await finalise(anna, session, recountOf([3, 4]), first.write);
    expect(first.text()).toContain('kafka    7 = a 3, b 4');
    expect(first.text()).toContain('Signed; another person has to run the same');
    await finalise(anna, session, recountOf([3, 4]), again.write);
    expect(again.text()).toContain('You have signed this already; another person has to run');
    const ledger = setInterval(() => void writeStatement(session.sessionNo), 50);
    await finalise(ben, session, recountOf([3, 4]), last.write);
    clearInterval(ledger);
    expect(last.text()).toContain('Two people agree.');
    expect(last.text()).toContain(
      `http://localhost/api/v1/results/${session.sessionId}/final/${'d1'.repeat(32)}`,
    );
    await finalise(anna, session, recountOf([9, 9]), later.write);
    expect(later.text()).toMatch(/^The result is final since /);
  });

  /** What the ledger does once two people agree. */
  async function writeStatement(sessionNo: number): Promise<void> {
    const { rows } = await it.superuser.query<{ body: string }>(
      `SELECT body FROM votes.acts WHERE agreed_at IS NOT NULL AND kind = 'finalise'
         AND body::jsonb ->> 'session_id' =
           (SELECT session_id::text FROM votes.voting_sessions WHERE session_no = $1)`,
      [sessionNo],
    );
    if (rows[0] === undefined) return;
    const signatures = [anna, ben].map(({ key }) => ({ kid: key.kid, signature: 'x' }));
    await it.superuser.query(
      `UPDATE votes.voting_sessions SET final_at = now(), final_statement = $2
       WHERE session_no = $1 AND final_at IS NULL`,
      [sessionNo, encodeStatement(rows[0].body, signatures)],
    );
  }

  test('agreed and not written by the ledger is said so within a bound', async () => {
    const session = await sealed([1, 0]);
    await finalise(anna, session, recountOf([1, 0]), () => undefined);
    await expect(finalise(ben, session, recountOf([1, 0]), () => undefined)).rejects.toThrow(
      'It is agreed, and the ledger has not made it final yet: look at its log.',
    );
  });

  test.each<[string, Partial<Recount>, RegExp]>([
    ['a difference', { differences: ['rows say 3'] }, /The recounts differ.*\n {2}rows say 3/],
    ['a provisional recount', { isProvisional: true }, /not everything is sealed/],
    ['a recount without Kafka', { kafka: undefined }, /after three recounts/],
    [
      'another digest from Kafka',
      { kafka: { counts: [3, 4], total: 7, digest: 'ee'.repeat(32) } },
      /nothing to sign/,
    ],
    ['other tallies', { tallies: { counts: [4, 3], total: 7 } }, /nothing to sign/],
  ])('is not signed on %s', async (_case, changes, message) => {
    const session = await sealed([3, 4]);
    await expect(
      finalise(anna, session, recountOf([3, 4], changes), () => undefined),
    ).rejects.toThrow(message);
    const { rows } = await it.superuser.query(
      `SELECT FROM votes.acts WHERE body::jsonb ->> 'session_id' = $1`,
      [session.sessionId],
    );
    expect(rows).toEqual([]);
  });

  test('of a session that is not sealed says what is missing and what to do', async () => {
    const session = await createSession(it.superuser, { closesInMs: -1000 });
    await it.superuser.query(
      `INSERT INTO votes.regions (region) VALUES ('us-east-1') ON CONFLICT DO NOTHING;
       INSERT INTO votes.offsets (region_no, partition, cluster_id, topic_id)
       SELECT region_no, 0, 'c', gen_random_uuid() FROM votes.regions ON CONFLICT DO NOTHING`,
    );
    const answer = finalise(anna, session, recountOf([]), () => undefined);
    await expect(answer).rejects.toThrow(/us-east-1: 0 of 1 partitions sealed/);
    await expect(answer).rejects.toThrow(/npm run recover/);
    await it.superuser.query("INSERT INTO votes.regions (region) VALUES ('us-north-1')");
    await expect(finalise(anna, session, recountOf([]), () => undefined)).rejects.toThrow(
      /us-north-1: its ledger was never heard of/,
    );
    const open = await createSession(it.superuser);
    await expect(finalise(anna, open, recountOf([]), () => undefined)).rejects.toThrow(
      'The session is open: close it first.',
    );
  });

  test('is a function of the recount and the seals, not of who signs or when', () => {
    const log = { partitions: 1, sealed: 1, outstanding: 0, late: 0 };
    const finality = {
      version: 4,
      logs: [
        { ...log, log: 'us-west-2', covers: [7] },
        { ...log, log: 'us-east-1', covers: [5] },
        { ...log, log: 'us-east-1@us-west-2', covers: null },
      ],
    } as unknown as Parameters<typeof actOf>[1];
    const id = '3b241101-e2bb-4255-8caf-4136c566a962';
    const act = actOf(id, finality, recountOf([1, 2], { covers: { 'us-east-1': [99] } }));
    expect(act).toMatchObject({
      session_version: 4,
      covers: { 'us-east-1': [5], 'us-west-2': [7] },
    });
    const reversed = { ...finality, logs: finality.logs.toReversed() };
    expect(actHash(actBody(actOf(id, reversed, recountOf([1, 2]))))).toBe(actHash(actBody(act)));
  });
});

describe('a lost region', () => {
  beforeEach(async () => {
    await it.superuser.query(
      `TRUNCATE votes.regions, votes.offsets, votes.act_signatures, votes.acts
         RESTART IDENTITY CASCADE;
       UPDATE votes.epoch SET epoch = 1;
       INSERT INTO votes.regions (region) VALUES ('us-east-1'), ('us-west-2');
       INSERT INTO votes.offsets (region_no, partition, cluster_id, topic_id, next_offset, log_end)
       SELECT region_no, partition, 'c', gen_random_uuid(), 5 + partition, 9
       FROM votes.regions, generate_series(0, 1) AS partition`,
    );
  });

  const withCopies = () =>
    it.superuser.query(
      `INSERT INTO votes.regions (region, stands_for) VALUES ('us-east-1@us-west-2', 1);
       INSERT INTO votes.offsets (region_no, partition, cluster_id, topic_id)
       SELECT 3, partition, 'c', gen_random_uuid() FROM generate_series(0, 1) AS partition`,
    );
  let ownEnd = (): Promise<number[]> => Promise.resolve([9, 12]);
  const recover = (who: typeof anna, write: (text: string) => void, region = 'us-east-1') =>
    recoverRegion(
      {
        ...who,
        copiesEnd: (host) =>
          host === 'us-west-2' ? Promise.resolve([3, 4]) : Promise.reject(new Error(host)),
        ownEnd: () => ownEnd(),
        write,
        clock: quickClock(),
        readMsMax: 30_000,
      },
      region,
    );

  test('is declared by two, waits until its copies are read, and again changes nothing', async () => {
    await withCopies();
    const [first, last, again] = [output(), output(), output()];
    await recover(anna, first.write);
    expect(first.text()).toContain('us-east-1 in epoch 1: its log was read up to these offsets');
    expect(first.text()).toContain('  5 6\n7 records were known and not read');
    expect(first.text()).toContain('Copies in us-east-1@us-west-2 are read in its place.');
    expect(first.text()).toContain('Its Kafka answers: 10 records lie behind these offsets.');
    expect(first.text()).toContain('Signed; another person has to run the same');
    let steps = 0;
    const ledger = setInterval(() => {
      steps += 1;
      void it.superuser.query(
        `UPDATE votes.offsets SET next_offset = least(next_offset + 1, 3 + partition)
         WHERE region_no = 3 AND EXISTS (SELECT FROM votes.regions WHERE lost_at IS NOT NULL)`,
      );
    }, 10);
    await recover(ben, last.write);
    clearInterval(ledger);
    expect(steps).toBeGreaterThan(1);
    expect(last.text()).toContain('Two people agree: us-east-1 is lost.');
    expect(last.text()).toMatch(/7 copies of its votes are read, after \d+\.\d s\.\n$/);
    await recover(ben, again.write);
    expect(again.text()).toMatch(/^us-east-1 is lost since .*; nothing changes\.\n7 copies/);
    expect((await anna.client.get<{ epoch: number }>('/regions')).epoch).toBe(2);
  });

  test('without copies says that what was not read is gone', async () => {
    const [first, last] = [output(), output()];
    ownEnd = () => Promise.reject(new Error('gone'));
    await recover(anna, first.write);
    await recover(ben, last.write);
    expect(first.text()).toContain('Its Kafka does not answer');
    expect(first.text()).toContain('No copies are known: what was accepted and not read is lost');
    expect(last.text()).toContain(
      'No region keeps copies of us-east-1: what was not read is gone.',
    );
  });

  test('whose copies are not read in time is said so, with what to look at', async () => {
    await withCopies();
    await recover(anna, () => undefined);
    await expect(recover(ben, () => undefined)).rejects.toThrow(
      'us-east-1 is lost, and its copies are not read yet: look at the ledger of us-west-2, ' +
        'and run this again.',
    );
  });

  test('that was declared and never heard of is said so, and so are its copies', async () => {
    await it.superuser.query(
      `DELETE FROM votes.offsets WHERE region_no = 1;
       INSERT INTO votes.regions (region, stands_for) VALUES ('us-east-1@us-west-2', 1)`,
    );
    const first = output();
    await recover(anna, first.write);
    expect(first.text()).toContain('us-east-1 in epoch 1: its ledger was never heard of');
    expect(first.text()).toContain(
      'Copies in us-east-1@us-west-2 are read in its place; of us-east-1@us-west-2 nothing was heard',
    );
  });

  test('is one that there is', async () => {
    await expect(recover(anna, () => undefined, 'us-north-9')).rejects.toThrow(
      'There is no region us-north-9; there are us-east-1, us-west-2.',
    );
  });

  test('an act that the database refuses is told in its words', async () => {
    const act = { act: 'declare_lost', region: 'us-east-1', epoch: 7 } as const;
    await expect(submitAct(anna.client, act, anna.key)).rejects.toMatchObject({
      code: 'act_conflict',
      message: 'The epoch is another one by now; look again at what would be lost.',
    });
  });
});
