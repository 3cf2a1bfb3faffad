import { expect, test } from 'vitest';
import { encodeSeal, type Seal } from '#common/contracts/seal.ts';
import { topicName } from '#common/contracts/topics.ts';
import { voteRecordKey } from '#common/contracts/vote-submitted.ts';
import { type Recount, recountSession } from '../../../../local/cli/recount/recount-session.ts';
import { createBallot, createSession, createSigningKey } from '../../../support/votes.ts';
import {
  count,
  pool,
  prefix,
  producer,
  type Sent,
  send,
  stores,
  stranger,
  vote,
} from './recounted.ts';

const all = ['rows', 'tallies', 'kafka'] as const;
const digests = ({ rows, kafka }: Recount) => [rows?.digest, kafka?.digest];

test('rows, tallies and logs agree, in any order and in any number of passes', async () => {
  const session = await createSession(pool);
  const votes = Array.from({ length: 200 }, (_, at) => vote(session, at % 3, at));
  const other = await createSession(pool);
  await send([...votes, vote(other, 0, 5)]);
  // Copies of the same, and second choices that came later or earlier than what counts.
  await send(votes.slice(0, 20).map((one) => ({ ...one, partition: (one.partition + 7) % 30 })));
  await send(votes.slice(20, 40).map((one) => ({ ...one, option: 2, atMs: one.atMs + 1 })));
  const sooner = votes
    .slice(40, 60)
    .map((one) => ({ ...one, option: (one.option + 1) % 3, atMs: one.atMs - 1 }));
  await send(sooner);
  // At the same millisecond the option's id decides.
  await send(votes.slice(60, 70).map((one) => ({ ...one, option: 0 })));
  const settled = votes.map((one, at) => {
    if (at >= 40 && at < 60) return sooner[at - 40]!;
    return at >= 60 && at < 70 ? { ...one, option: 0 } : one;
  });
  // What cannot count: forged, of no option, behind closing.
  await send([
    { ...vote(session, 0, 3), signer: stranger },
    vote(session, 9, 4),
    { ...vote(session, 1, 5), atMs: Date.now() + 4_000_000 },
  ]);
  await count(session, 'us-east-1', settled);

  const once = await recountSession(stores, session.sessionId, { sources: all });
  expect(once.differences).toEqual([]);
  expect(once.rows).toMatchObject({ total: 200 });
  expect(once.kafka).toEqual(once.rows);
  expect(once.isProvisional).toBe(true);
  expect(once.covers['us-east-1']).toHaveLength(30);
  const { rows } = await pool.query<{ digest: string }>(
    'SELECT votes.result_digest($1) AS digest',
    [session.sessionNo],
  );
  expect(rows[0]!.digest).toBe(once.rows!.digest);

  const [one, two] = await Promise.all(
    [1, 2].map((seed) =>
      recountSession(stores, session.sessionId, { sources: ['kafka'], seed, recordsAPassMax: 60 }),
    ),
  );
  expect(digests(one!)).toEqual([undefined, once.rows!.digest]);
  expect(digests(two!)).toEqual(digests(one!));
});

test('each difference is told, and no choice with it', async () => {
  const session = await createSession(pool);
  const votes = Array.from({ length: 6 }, (_, at) => vote(session, at % 3, at));
  await send(votes.slice(0, 5));
  const [first, second, third, fourth] = votes as [Sent, Sent, Sent, Sent];
  const uncounted = votes[4]!.ballot.vote_id;
  const invented = votes[5]!.ballot.vote_id;
  await count(session, 'us-east-1', [
    { ...first, option: 2 },
    { ...second, atMs: second.atMs + 1 },
    third,
    fourth,
    votes[5]!,
  ]);
  await pool.query('UPDATE votes.tallies SET votes = 9 WHERE session_no = $1 AND option_no = 1', [
    session.sessionNo,
  ]);
  const { differences, rows, kafka } = await recountSession(stores, session.sessionId, {
    sources: all,
  });
  expect(differences.toSorted()).toEqual(
    [
      `vote ${first.ballot.vote_id} is counted with another option than its first record's`,
      `vote ${second.ballot.vote_id} is counted with another time than its first record's`,
      `vote ${uncounted} lies in the logs and is not counted`,
      `vote ${invented} is counted, and no log holds it`,
      'option-0: tallies 1, kafka 2',
      'option-1: rows 1, tallies 9',
      'option-1: tallies 9, kafka 2',
      'option-2: tallies 3, kafka 1',
      'the digests of rows and kafka differ',
    ].toSorted(),
  );
  expect(rows!.digest).not.toBe(kafka!.digest);
});

test('votes that two people took out are in no recount', async () => {
  const session = await createSession(pool);
  const votes = Array.from({ length: 4 }, (_, at) => vote(session, 1, at));
  await send(votes);
  await count(session, 'us-east-1', votes);
  const before = await recountSession(stores, session.sessionId, { sources: all });
  await pool.query('INSERT INTO votes.void_votes VALUES ($1, $2, $3)', [
    session.sessionNo,
    votes[2]!.ballot.vote_id,
    Buffer.alloc(32),
  ]);
  await pool.query(`INSERT INTO votes.tallies VALUES ($1, 1, 0, -1, -1)`, [session.sessionNo]);
  const after = await recountSession(stores, session.sessionId, { sources: all });
  expect(after.differences).toEqual([]);
  expect(after.kafka).toMatchObject({ total: 3, counts: [0, 3, 0] });
  expect(digests(after)).not.toEqual(digests(before));
});

test('what lies behind the first valid seal of a partition does not count', async () => {
  const session = await createSession(pool, { closesInMs: 300 });
  const { rows } = await pool.query<{ closes_at: Date }>(
    'SELECT closes_at FROM votes.voting_sessions WHERE session_no = $1',
    [session.sessionNo],
  );
  const closesAtMs = rows[0]!.closes_at.getTime();
  const sealKey = createSigningKey();
  await pool.query(`INSERT INTO votes.seal_keys (kid, region, x) VALUES ($1, 'us-east-1', $2)`, [
    sealKey.kid,
    sealKey.publicJwk.x,
  ]);
  const seal = async (partition: number, changes: Partial<Seal> = {}, by = sealKey) => {
    const { sessionId } = session;
    const value = encodeSeal(
      {
        sessionId,
        log: 'us-east-1',
        partition,
        sessionVersion: 1,
        closesAtMs,
        sealedAtMs: closesAtMs,
        ...changes,
      },
      by,
    );
    const messages = [
      {
        topic: topicName(prefix, 'vote-submitted'),
        partition,
        key: voteRecordKey(sessionId),
        value,
      },
    ];
    const sent = await producer.send({ messages, acks: -1 });
    return Number(sent.offsets![0]!.offset);
  };
  const before = Array.from({ length: 30 }, (_, at) => vote(session, 1, at));
  const behind = before.map(({ partition }) => ({ ...vote(session, 2, 1), partition }));
  await send(before);
  // None of these is a seal of partition 4: another key, another place, another closing time.
  await seal(4, {}, stranger);
  await seal(4, { partition: 5 });
  await seal(4, { log: 'us-west-2' });
  await seal(4, { closesAtMs: closesAtMs - 1 });
  await send([{ ...before[4]!, ballot: createBallot(session.sessionId) }]);
  const extra = (await recountSession(stores, session.sessionId, { sources: ['kafka'] })).kafka;
  expect(extra).toMatchObject({ total: 31 });
  const sealedAt = new Map<number, number>();
  for (let partition = 0; partition < 30; partition++) {
    sealedAt.set(partition, await seal(partition));
    await seal(partition);
  }
  await send(behind);
  const sources = ['kafka'] as const;
  const provisional = await recountSession(stores, session.sessionId, { sources });
  expect(provisional).toMatchObject({
    kafka: { total: 31, counts: [0, 31, 0] },
    isProvisional: true,
  });
  await pool.query('UPDATE votes.voting_sessions SET sealed_at = now() WHERE session_no = $1', [
    session.sessionNo,
  ]);
  await pool.query(
    `INSERT INTO votes.seals
     SELECT $1, votes.region_no('us-east-1'), partition, "offset", now(), $2, ''
     FROM unnest($3::int[], $4::bigint[]) AS seal(partition, "offset")`,
    [
      session.sessionNo,
      sealKey.kid,
      [...sealedAt.keys()],
      [...sealedAt].map(([partition, at]) => (partition === 7 ? at + 1 : at)),
    ],
  );
  const sealed = await recountSession(stores, session.sessionId, { sources });
  expect(sealed.isProvisional).toBe(false);
  expect(sealed.differences).toEqual([
    `us-east-1, partition 7: the ledger went by the seal at ${sealedAt.get(7)! + 1}, ` +
      `the log's first valid one is at ${sealedAt.get(7)!}`,
  ]);
});

test('what was quarantined is left out and told, and there is a bound to how much', async () => {
  const session = await createSession(pool);
  const votes = Array.from({ length: 6 }, (_, at) => vote(session, 0, at));
  const offsets = await send(votes);
  const aside = votes.slice(0, 3).map(({ partition }) => partition);
  await count(session, 'us-east-1', votes.slice(3));
  await pool.query(
    `INSERT INTO votes.quarantined_records (region_no, partition, "offset", session_id, reason)
     SELECT votes.region_no('us-east-1'), partition, "offset", $1, 'under review'
     FROM unnest($2::int[], $3::bigint[]) AS record(partition, "offset")`,
    [session.sessionId, aside, aside.map((partition) => offsets.get(partition))],
  );
  const options = { sources: all, quarantinedMax: 3 };
  const recount = await recountSession(stores, session.sessionId, options);
  expect([recount.kafka!.total, recount.differences]).toEqual([3, []]);
  expect(recount.notes).toContainEqual(expect.stringMatching(/^3 records were quarantined alt/));
  await expect(
    recountSession(stores, session.sessionId, { ...options, quarantinedMax: 2 }),
  ).rejects.toThrow('More than 2 records of this session are quarantined');
});

test('a session that is not there is told so', async () => {
  const unknown = '3b241101-e2bb-4255-8caf-4136c566a962';
  await expect(recountSession(stores, unknown, { sources: all })).rejects.toThrow(
    `There is no session ${unknown}.`,
  );
});

test('a lost region: its log as it was counted, and the copies held elsewhere', async () => {
  const session = await createSession(pool);
  const here = Array.from({ length: 10 }, (_, at) => vote(session, 0, at));
  const frozen = Array.from({ length: 5 }, (_, at) => vote(session, 1, 20 + at));
  const copied = Array.from({ length: 5 }, (_, at) => vote(session, 2, 40 + at));
  await send(here);
  await send([...frozen.slice(3), ...copied], 'vote-standby');
  await count(session, 'us-east-1', here);
  await count(session, 'us-west-2', frozen);
  const { rows } = await pool.query<{ region_no: number }>(
    `UPDATE votes.regions SET lost_at = now() WHERE region = 'us-west-2' RETURNING region_no`,
  );
  await pool.query(
    `INSERT INTO votes.regions (region, stands_for) VALUES ('us-west-2@us-east-1', $1)`,
    [rows[0]!.region_no],
  );
  await count(session, 'us-west-2@us-east-1', copied);
  const recount = await recountSession(stores, session.sessionId, { sources: all });
  expect(recount.differences).toEqual([]);
  expect(recount.kafka).toMatchObject({ total: 20, counts: [10, 5, 5] });
  expect(recount.notes).toContainEqual(
    expect.stringMatching(/^us-west-2 is not read any more: .* is taken from the rows/),
  );
  // Of a region that is only away, the log is needed.
  await pool.query(`UPDATE votes.regions SET lost_at = NULL WHERE region = 'us-west-2'`);
  await expect(recountSession(stores, session.sessionId, { sources: all })).rejects.toThrow(
    'us-west-2 does not run here, and its log is needed.',
  );
});
