import { randomUUID } from 'node:crypto';
import { expect } from 'vitest';
import { type Act, actBody, actHash, type FinaliseAct, signAct } from '#common/contracts/act.ts';
import type { SigningKey } from '#common/keys.ts';
import { uuidV8 } from '#common/uuid.ts';
import { createSession, createSigningKey, type TestSession } from '../../support/votes.ts';
import { admin, second, startTestPortal } from './test-portal.ts';

/**
 * A portal with admins who have keys, and what they do together. One a file. Anna and Ben are the
 * two first ones; Anna made Carol's account.
 */
export const it = await startTestPortal();

export interface Person {
  readonly cookie: string;
  readonly key: SigningKey;
}

export async function register(cookie: string, key: SigningKey): Promise<Person> {
  const { x } = key.publicJwk;
  const answer = await it.call('POST', '/approval-keys', { cookie, body: { x } });
  expect([answer.status, answer.body['kid']]).toEqual([201, key.kid]);
  return { cookie, key };
}

/** A further admin with a key, whose account somebody made. */
export async function makePerson(maker: Person, name: string): Promise<Person> {
  const login = { email: `${name}@vote.example`, password: 'a long enough password' };
  const made = await it.call('POST', '/admins', { cookie: maker.cookie, body: login });
  expect(made.status).toBe(201);
  return register(await it.login(login), createSigningKey());
}

export const anna = await register(await it.login(admin), createSigningKey());
export const ben = await register(await it.login(second), createSigningKey());
export const carol = await makePerson(anna, 'carol');

export function propose(act: Act, who = anna) {
  return it.call('POST', '/acts', { cookie: who.cookie, body: { body: actBody(act) } });
}

export function sign(act: Act, who: Person, key = who.key) {
  const body = actBody(act);
  const path = `/acts/${actHash(body)}/signatures`;
  return it.call('POST', path, { cookie: who.cookie, body: signAct(body, key) });
}

export async function agree(act: Act): Promise<void> {
  expect((await propose(act)).status).toBe(201);
  expect((await sign(act, anna)).status).toBe(200);
  expect((await sign(act, ben)).status).toBe(200);
}

/** A closed session with votes for these options (by number), counted by hand. */
export async function closedSession(choices: readonly number[]) {
  const session = await createSession(it.superuser, { closesInMs: -1000 });
  const voteIds = choices.map(() => uuidV8(Buffer.from(randomUUID().replaceAll('-', ''), 'hex')));
  for (const [index, option] of choices.entries()) {
    await it.superuser.query(
      `INSERT INTO votes.votes
         (session_no, vote_id, option_no, region_no, partition, "offset", accepted_at)
       VALUES ($1, $2, $3, 1, 0, $4, now() - interval '2 seconds')`,
      [session.sessionNo, voteIds[index], option, index],
    );
    await it.superuser.query(
      `INSERT INTO votes.tallies (session_no, option_no, region_no, partition, votes)
       VALUES ($1, $2, 1, 0, 1)
       ON CONFLICT (session_no, option_no, region_no, partition)
       DO UPDATE SET votes = tallies.votes + 1`,
      [session.sessionNo, option],
    );
  }
  return { ...session, voteIds };
}

export async function sealedSession(choices: readonly number[]) {
  const session = await closedSession(choices);
  await it.superuser.query(
    'UPDATE votes.voting_sessions SET sealed_at = now() WHERE session_no = $1',
    [session.sessionNo],
  );
  return session;
}

export const digest = 'd1'.repeat(32);
export function finalise({ sessionId }: TestSession, counts: readonly number[]): FinaliseAct {
  return {
    act: 'finalise',
    session_id: sessionId,
    session_version: 1,
    digest,
    total: counts.reduce((sum, count) => sum + count, 0),
    counts,
    recounts: { rows: digest, tallies: 'equal', kafka: digest },
    covers: {},
  };
}

export async function countsOf({ sessionNo }: TestSession): Promise<number[]> {
  const { rows } = await it.superuser.query<{ votes: number }>(
    `SELECT coalesce(sum(votes), 0)::bigint AS votes FROM generate_series(0, 2) AS no
     LEFT JOIN votes.tallies ON option_no = no AND session_no = $1 GROUP BY no ORDER BY no`,
    [sessionNo],
  );
  return rows.map(({ votes }) => votes);
}
