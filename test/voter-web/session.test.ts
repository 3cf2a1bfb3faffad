import { describe, expect, test } from 'vitest';
import type { Answer } from '../../voter-web/api.ts';
import { admits, readBallot, readSession, readSessions } from '../../voter-web/session.ts';

const ok = (body: Record<string, unknown> | unknown[]): Answer => ({
  kind: 'ok',
  status: 200,
  body,
});
const session = { session_id: 's1', title: 'T', state: 'open', eligibility: [{ policy: 'code' }] };

describe('reading sessions', () => {
  test('a session is read whole, and what is no session as none', () => {
    expect(readSession(ok({ ...session, results_url: 'http://r' }))).toMatchObject({
      session_id: 's1',
      results_policy: 'live',
      results_url: 'http://r',
    });
    expect(readSession(ok({}))).toBeNull();
    expect(readSession({ kind: 'none' })).toBeNull();
  });

  test('a list is read with or without a wrapper, drafts left out', () => {
    const list = [session, { ...session, session_id: 's2', state: 'draft' }, { title: 'no id' }];
    for (const body of [list, { sessions: list }]) {
      expect(readSessions(ok(body))?.map((one) => one.session_id)).toEqual(['s1']);
    }
    expect(readSessions(ok({ sessions: 'none' }))).toBeNull();
  });

  test('a session admits the ways it names, and every way when it names none', () => {
    const read = readSession(ok(session));
    expect([admits(read, 'code'), admits(read, 'account')]).toEqual([true, false]);
    expect([admits(null, 'code'), admits(null, 'account')]).toEqual([true, true]);
  });
});

describe('reading a ballot', () => {
  test('it ends by this device’s clock, and names a region even when the answer does not', () => {
    const body = { ballot_token: 't', expires_in: 60, options: [], closes_at: 'c' };
    expect(readBallot(ok(body), 's1', 1000)).toEqual({
      ballot_token: 't',
      session_id: 's1',
      options: [],
      closes_at: 'c',
      regions: [{ name: 'home', url: '' }],
      expiresAtMs: 61_000,
    });
    expect(readBallot(ok({ ballot_token: 't' }), 's1', 0)).toBeNull();
  });
});
