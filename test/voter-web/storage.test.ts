import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { freshToken, keepLogin, logOut, readLogin } from '../../voter-web/account.ts';
import type { Answer } from '../../voter-web/api.ts';
import { keepVote, keptVoteKey, readKeptVote } from '../../voter-web/kept-vote.ts';
import { safeStore } from '../../voter-web/storage.ts';
import { memoryStore } from './fixtures.ts';

const refuse = (): never => {
  throw new Error('SecurityError');
};

describe('a store that the browser refuses', () => {
  test('keeps in memory what a blocked storage will not', () => {
    const store = safeStore(refuse);
    store.setItem('a', '1');
    expect(store.getItem('a')).toBe('1');
    store.removeItem('a');
    expect(store.getItem('a')).toBeNull();
  });

  test('keeps in memory what does not fit, and forgets the older entry', () => {
    const real = memoryStore();
    real.setItem('a', 'old');
    const store = safeStore(() => ({ ...real, setItem: refuse }));
    store.setItem('a', 'new');
    expect(store.getItem('a')).toBe('new');
  });

  test('sees what another tab wrote', () => {
    const real = memoryStore();
    const store = safeStore(() => real);
    store.setItem('a', '1');
    real.setItem('a', '2');
    expect(store.getItem('a')).toBe('2');
  });
});

describe('a kept vote', () => {
  const recorded = {
    stage: 'recorded',
    voteId: 'v1',
    acceptedAt: '2026-11-22T20:00:00.000Z',
    confirmationCode: 'AAAAA-BBBBB',
    receipt: 'a.b.c',
    ballotToken: 't',
    count: null,
  } as const;

  test('is read back as it was kept, until it is forgotten', () => {
    const store = memoryStore();
    keepVote(store, 's1', recorded);
    expect(readKeptVote(store, 's1')).toEqual(recorded);
    expect(readKeptVote(store, 's2')).toBeNull();
    keepVote(store, 's1', null);
    expect(readKeptVote(store, 's1')).toBeNull();
  });

  test('is read as none when somebody has damaged it, and never throws', () => {
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.json()), (text) => {
        const store = memoryStore();
        store.setItem(keptVoteKey('s1'), text);
        return readKeptVote(store, 's1') === null;
      }),
    );
  });
});

describe('a login', () => {
  const answer = (access: string): Answer => ({
    kind: 'ok',
    status: 200,
    body: { access_token: access, refresh_token: `r-${access}`, expires_in: 3600 },
  });
  const refused: Answer = {
    kind: 'problem',
    problem: {
      status: 401,
      error: 'invalid_token',
      message: '',
      requestId: null,
      retryable: false,
      retryAfterS: null,
      members: {},
    },
  };

  test('is used while it lasts and renewed before it ends', async () => {
    const store = memoryStore();
    keepLogin(store, answer('one'), 0);
    const ask = async (): Promise<Answer> => answer('two');
    expect(await freshToken(store, ask, 1000, false)).toBe('one');
    expect(await freshToken(store, ask, 3_580_000, false)).toBe('two');
    expect(readLogin(store)?.refreshToken).toBe('r-two');
  });

  test('ends when its renewal is refused, and not when nobody answers', async () => {
    const store = memoryStore();
    keepLogin(store, answer('one'), 0);
    expect(await freshToken(store, async () => ({ kind: 'none' }), 0, true)).toBeNull();
    expect(readLogin(store)).not.toBeNull();
    expect(await freshToken(store, async () => refused, 0, true)).toBeNull();
    expect(readLogin(store)).toBeNull();
  });

  test('is gone here at once when logging out, even if the server is away', async () => {
    const store = memoryStore();
    keepLogin(store, answer('one'), 0);
    await logOut(store, async () => ({ kind: 'none' }));
    expect(readLogin(store)).toBeNull();
  });
});
