import { beforeEach, describe, expect, test } from 'vitest';
import { type Act, actBody, actHash, signAct } from '#common/contracts/act.ts';
import { encodeStatement } from '#common/contracts/final.ts';
import type { TestSession } from '../../support/votes.ts';
import {
  agree,
  anna,
  ben,
  closedSession,
  digest,
  finalise,
  it,
  propose,
  sealedSession,
  sign,
} from './two-people.ts';

/** What the list of sessions says of one. */
async function stateInList({ sessionId }: TestSession): Promise<unknown> {
  const { body } = await it.call('GET', '/sessions', { cookie: anna.cookie });
  const listed = body['sessions'] as unknown as { session_id: string; state: string }[];
  return listed.find(({ session_id }) => session_id === sessionId)?.state;
}

describe('a lost region', () => {
  const declareLost = (region: string, epoch: number): Act => ({
    act: 'declare_lost',
    region,
    epoch,
  });

  beforeEach(async () => {
    await it.superuser.query(
      `TRUNCATE votes.regions, votes.offsets, votes.leases, votes.workers RESTART IDENTITY CASCADE;
       UPDATE votes.epoch SET epoch = 1;
       INSERT INTO votes.regions (region) VALUES ('us-east-1'), ('us-west-2');
       INSERT INTO votes.regions (region, stands_for) VALUES ('us-east-1@us-west-2', 1);
       INSERT INTO votes.offsets (region_no, partition, cluster_id, topic_id, next_offset, log_end)
       SELECT region_no, partition, 'c', gen_random_uuid(), 5, 7
       FROM votes.regions, generate_series(0, 1) AS partition;
       INSERT INTO votes.leases
       SELECT region_no, 0, gen_random_uuid(), now() + interval '1 minute' FROM votes.regions;
       INSERT INTO votes.workers
       SELECT region_no, gen_random_uuid(), now() + interval '1 minute' FROM votes.regions;
       DELETE FROM votes.act_signatures; DELETE FROM votes.acts`,
    );
  });

  test('its offsets are frozen, its leases end, its copies are read, the epoch rises', async () => {
    await agree(declareLost('us-east-1', 1));
    const { body } = await it.call('GET', '/regions', { cookie: anna.cookie });
    expect(body).toEqual({
      epoch: 2,
      logs: [
        expect.objectContaining({
          log: 'us-east-1',
          live: false,
          lost_at: expect.any(String),
          lost_by: actHash(actBody(declareLost('us-east-1', 1))),
          outstanding: 4,
        }),
        expect.objectContaining({
          log: 'us-east-1@us-west-2',
          stands_for: 'us-east-1',
          live: true,
          lost_at: null,
        }),
        expect.objectContaining({ log: 'us-west-2', live: true, outstanding: 4 }),
      ],
    });
    const { rows } = await it.superuser.query(
      'SELECT array_agg(region_no ORDER BY region_no) AS held FROM votes.leases',
    );
    expect(rows).toEqual([{ held: [2, 3] }]);
  });

  test('cannot be lost by an act of an earlier epoch; lost already, nothing happens', async () => {
    const stale = declareLost('us-east-1', 1);
    await propose(stale);
    await sign(stale, anna);
    await it.superuser.query('UPDATE votes.epoch SET epoch = 2');
    expect((await sign(stale, ben)).body['message']).toBe(
      'The epoch is another one by now; look again at what would be lost.',
    );
    await agree(declareLost('us-east-1', 2));
    const { rows: before } = await it.superuser.query('SELECT * FROM votes.regions ORDER BY 1');
    await agree(declareLost('us-east-1', 3));
    const { rows: after } = await it.superuser.query('SELECT * FROM votes.regions ORDER BY 1');
    expect(after).toEqual(before);
    expect((await it.call('GET', '/regions', { cookie: ben.cookie })).body['epoch']).toBe(3);
  });

  test('is not the last one, and not a standby', async () => {
    await agree(declareLost('us-east-1', 1));
    expect((await propose(declareLost('us-west-2', 2))).body['message']).toBe(
      'It is the last region that is left.',
    );
    expect((await propose(declareLost('us-east-1@us-west-2', 2))).status).toBe(400);
  });

  test('a batch under way ends first', async () => {
    const client = await it.superuser.connect();
    await client.query('BEGIN');
    await client.query('SELECT FROM votes.offsets WHERE region_no = 1 FOR UPDATE');
    const act = declareLost('us-east-1', 1);
    await propose(act);
    await sign(act, anna);
    let isDone = false;
    const signing = sign(act, ben).then((answer) => {
      isDone = true;
      return answer;
    });
    await new Promise((resolve) => setTimeout(resolve, 300));
    expect(isDone).toBe(false);
    await client.query('UPDATE votes.offsets SET next_offset = 6 WHERE region_no = 1');
    await client.query('COMMIT');
    client.release();
    expect((await signing).status).toBe(200);
    const { rows } = await it.superuser.query(
      'SELECT DISTINCT next_offset FROM votes.offsets WHERE region_no = 1',
    );
    expect(rows).toEqual([{ next_offset: 6 }]);
  });
});

describe('the way to a final result', () => {
  const finality = async ({ sessionId }: TestSession) =>
    (await it.call('GET', `/sessions/${sessionId}/finality`, { cookie: anna.cookie })).body;

  beforeEach(async () => {
    await it.superuser.query(
      `TRUNCATE votes.regions, votes.offsets, votes.log_counts RESTART IDENTITY CASCADE;
       INSERT INTO votes.regions (region) VALUES ('us-east-1'), ('us-west-2');
       INSERT INTO votes.offsets (region_no, partition, cluster_id, topic_id, next_offset, log_end)
       SELECT region_no, partition, 'c', gen_random_uuid(), 5, 5 + region_no
       FROM votes.regions, generate_series(0, 1) AS partition`,
    );
  });

  /** The second reader heard of every partition's end, so long after now. */
  const hear = (logEnd: number, aheadMs: number) =>
    it.superuser.query(
      `INSERT INTO votes.log_counts (region_no, partition, next_offset, log_end, heard_at)
       SELECT region_no, partition, 0, $1, clock_timestamp() + $2 * interval '1 ms'
       FROM votes.offsets
       ON CONFLICT (region_no, partition) DO UPDATE
       SET log_end = excluded.log_end, heard_at = excluded.heard_at`,
      [logEnd, aheadMs],
    );

  test('is decided by logs heard after everything was answered, and not by half the margin', async () => {
    const session = await closedSession([1, 1, 1, 1, 1, 1, 1, 0]);
    await it.superuser.query('UPDATE votes.offsets SET log_end = 5');
    expect(await finality(session)).toMatchObject({ outstanding: 0, decided: false });
    // Closed a second ago: within the grace votes are still answered.
    await hear(5, 0);
    expect(await finality(session)).toMatchObject({ outstanding: 0, decided: false });
    await hear(5, 60_000);
    expect(await finality(session)).toMatchObject({ margin: 6, outstanding: 0, decided: true });
    // The ledger is away and the log goes on: one vote each changes the margin by two.
    await it.superuser.query('UPDATE votes.log_counts SET log_end = 6 WHERE partition = 0');
    expect(await finality(session)).toMatchObject({ outstanding: 2, decided: true });
    await it.superuser.query(
      `INSERT INTO votes.verdicts (session_no, region_no, partition, duplicate, next_offset)
       VALUES ($1, 1, 0, 1, 5)`,
      [session.sessionNo],
    );
    expect(await finality(session)).toMatchObject({ outstanding: 2, decided: false });
  });

  test('says what is sealed, outstanding, late and by how much the first leads', async () => {
    const session = await closedSession([1, 1, 1, 0]);
    await it.superuser.query(
      `INSERT INTO votes.seals SELECT $1, 1, p, 3 + p, now(), 'kid', '' FROM generate_series(0, 1) p`,
      [session.sessionNo],
    );
    await it.superuser.query(
      `INSERT INTO votes.verdicts (session_no, region_no, partition, counted, late, next_offset)
       VALUES ($1, 1, 0, 3, 2, 5)`,
      [session.sessionNo],
    );
    expect(await finality(session)).toMatchObject({
      state: 'closed',
      total: 4,
      first: { option_id: 'option-1', votes: 3 },
      second: { option_id: 'option-0', votes: 1 },
      margin: 2,
      outstanding: 6,
      decided: false,
      late: 2,
      digest: null,
      logs: [
        { log: 'us-east-1', partitions: 2, sealed: 2, outstanding: 2, covers: [4, 5] },
        { log: 'us-west-2', partitions: 2, sealed: 0, outstanding: 4, covers: null },
      ],
      lost_regions: [],
      acts: [],
    });
  });

  test('is not decided while a declared region was never heard of', async () => {
    const session = await closedSession([1, 1, 1, 1, 1, 1, 1, 0]);
    expect(await finality(session)).toMatchObject({ margin: 6, outstanding: 6, decided: false });
    await it.superuser.query('UPDATE votes.offsets SET log_end = 5');
    await hear(5, 60_000);
    expect(await finality(session)).toMatchObject({ outstanding: 0, decided: true });
    await it.superuser.query("INSERT INTO votes.regions (region) VALUES ('us-north-1')");
    const answer = await finality(session);
    expect(answer).toMatchObject({ outstanding: 0, decided: false });
    expect(answer['logs']).toContainEqual(
      expect.objectContaining({ log: 'us-north-1', partitions: 0, covers: null }),
    );
  });

  test('names regions that are lost, and what was never read of them', async () => {
    const session = await sealedSession([0]);
    await it.superuser.query(
      `UPDATE votes.regions SET lost_at = now(), lost_by = '' WHERE region = 'us-west-2'`,
    );
    const answer = await finality(session);
    expect(answer).toMatchObject({
      state: 'sealed',
      outstanding: 2,
      decided: true,
      lost_regions: [{ region: 'us-west-2', never_read: 4 }],
    });
    expect(answer['logs']).toContainEqual(
      expect.objectContaining({ log: 'us-west-2', live: false, covers: [5, 5] }),
    );
  });

  test('shows acts and corrections, and the final digest from the statement', async () => {
    const session = await sealedSession([2, 2]);
    const voided: Act = {
      act: 'void',
      session_id: session.sessionId,
      corrections: 0,
      vote_ids: [session.voteIds[0]!],
      reason: 'x',
    };
    await agree(voided);
    expect(await stateInList(session)).toBe('sealed');
    const act = finalise(session, [0, 0, 1]);
    await agree(act);
    const statement = encodeStatement(actBody(act), [
      signAct(actBody(act), anna.key),
      signAct(actBody(act), ben.key),
    ]);
    await it.superuser.query(
      'UPDATE votes.voting_sessions SET final_at = now(), final_statement = $2 WHERE session_no = $1',
      [session.sessionNo, statement],
    );
    // What was declared final stands, whatever happens to the tallies.
    await it.superuser.query('UPDATE votes.tallies SET votes = 77 WHERE session_no = $1', [
      session.sessionNo,
    ]);
    const answer = await finality(session);
    expect(answer).toMatchObject({
      state: 'final',
      digest,
      act_hash: actHash(actBody(act)),
      total: 1,
      first: { option_id: 'option-2', votes: 1 },
      corrections: [{ kind: 'void', moved: 1, act_hash: actHash(actBody(voided)) }],
    });
    expect(await stateInList(session)).toBe('final');
    const kinds = (answer['acts'] as unknown as { kind: string }[]).map(({ kind }) => kind);
    expect(kinds).toEqual(['finalise', 'void']);
  });
});
