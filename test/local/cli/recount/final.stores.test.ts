import { expect, test } from 'vitest';
import { actBody, signAct } from '#common/contracts/act.ts';
import { encodeStatement } from '#common/contracts/final.ts';
import type { SigningKey } from '#common/keys.ts';
import { recountSession } from '../../../../local/cli/recount/recount-session.ts';
import { createSession, createSigningKey } from '../../../support/votes.ts';
import { count, pool, send, stores, stranger, vote } from './recounted.ts';

const all = ['rows', 'tallies', 'kafka'] as const;

test('a final result is held against what is found, and must be signed by two people', async () => {
  const session = await createSession(pool, { closesInMs: 0 });
  const votes = Array.from({ length: 5 }, (_, at) => vote(session, at % 2, at));
  await send(votes);
  await count(session, 'us-east-1', votes);
  const found = await recountSession(stores, session.sessionId, { sources: all });
  const { counts, digest } = found.kafka!;
  const statement = (people: readonly SigningKey[]) => {
    const body = actBody({
      act: 'finalise',
      session_id: session.sessionId,
      session_version: 1,
      digest,
      total: 5,
      counts,
      recounts: { rows: digest, tallies: 'equal', kafka: digest },
      covers: {},
    });
    return encodeStatement(
      body,
      people.map((person) => signAct(body, person)),
    );
  };
  const [anna, ben] = [createSigningKey(), createSigningKey()];
  const keysOf = (member: (key: SigningKey) => string) => [anna, ben].map(member);
  await pool.query(
    `WITH person AS (
       INSERT INTO portal.admins (email, password_hash, role)
       VALUES ('anna@x', '', 'admin'), ('ben@x', '', 'admin') RETURNING admin_id
     ) INSERT INTO votes.approval_keys (kid, x, admin_id) SELECT kid, x, admin_id
     FROM unnest($1::text[], $2::text[]) WITH ORDINALITY AS key(kid, x, no)
     JOIN (SELECT admin_id, row_number() OVER () AS no FROM person) AS numbered USING (no)`,
    [keysOf(({ kid }) => kid), keysOf(({ publicJwk }) => publicJwk.x)],
  );
  const differences = async (people: readonly SigningKey[]) => {
    // As the ledger would never write it twice: people who mend by hand.
    await pool.query('ALTER TABLE votes.voting_sessions DISABLE TRIGGER keep_frozen');
    await pool.query(
      'UPDATE votes.voting_sessions SET final_at = now(), final_statement = $2 WHERE session_no = $1',
      [session.sessionNo, statement(people)],
    );
    await pool.query('ALTER TABLE votes.voting_sessions ENABLE TRIGGER keep_frozen');
    return (await recountSession(stores, session.sessionId, { sources: all })).differences;
  };
  expect(await differences([anna, stranger])).toEqual([
    'the final statement is not one that two people signed',
  ]);
  expect(await differences([anna, ben])).toEqual([]);
  // A database that took a vote out after the result was final agrees with itself, not with it.
  await pool.query('INSERT INTO votes.void_votes VALUES ($1, $2, $3)', [
    session.sessionNo,
    votes[0]!.ballot.vote_id,
    Buffer.alloc(32),
  ]);
  await pool.query('INSERT INTO votes.tallies VALUES ($1, 0, 0, -1, -1)', [session.sessionNo]);
  expect((await recountSession(stores, session.sessionId, { sources: all })).differences).toEqual([
    'option-0: kafka 2, final 3',
    'the digests of kafka and final differ',
  ]);
});
