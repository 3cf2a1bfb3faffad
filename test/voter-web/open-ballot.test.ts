import { describe, expect, test } from 'vitest';
import { keepLogin } from '../../voter-web/account.ts';
import type { Answer, ApiRequest } from '../../voter-web/api.ts';
import { openBallot } from '../../voter-web/open-ballot.ts';
import { memoryStore } from './fixtures.ts';

const regions = [{ name: 'us-east-1', url: 'http://edge/r/us-east-1' }];
const ballot: Answer = {
  kind: 'ok',
  status: 200,
  body: { ballot_token: 't', expires_in: 60, session: {}, options: [], closes_at: 'c', regions },
};
const refused = (error: string): Answer => ({
  kind: 'problem',
  problem: {
    status: 401,
    error,
    message: '',
    requestId: null,
    retryable: false,
    retryAfterS: null,
    members: {},
  },
});
const login = (access: string): Answer => ({
  kind: 'ok',
  status: 200,
  body: { access_token: access, refresh_token: 'r', expires_in: 3600 },
});

function worldOf(answers: Answer[]) {
  const asked: { url: string; request: ApiRequest }[] = [];
  const world = {
    ask: async (url: string, request: ApiRequest): Promise<Answer> => {
      asked.push({ url, request });
      return answers.shift() ?? { kind: 'none' };
    },
    tabStore: memoryStore(),
    now: () => 1000,
  };
  return { world, asked };
}

describe('opening a ballot', () => {
  test('a code opens it without any login', async () => {
    const { world, asked } = worldOf([ballot]);
    const opened = await openBallot('s1', 'AAAAA-BBBBB-CCCCC-DDDDD', world);
    expect(opened).toMatchObject({ ballot: { ballot_token: 't', regions, expiresAtMs: 61_000 } });
    expect(asked).toEqual([
      {
        url: '/api/v1/sessions/s1/ballot',
        request: { method: 'POST', headers: {}, body: { code: 'AAAAA-BBBBB-CCCCC-DDDDD' } },
      },
    ]);
  });

  test('without code and login there is nothing to open it with', async () => {
    const { world, asked } = worldOf([ballot]);
    expect(await openBallot('s1', null, world)).toBeNull();
    expect(asked).toEqual([]);
  });

  test('a revoked access token is renewed once', async () => {
    const { world, asked } = worldOf([refused('invalid_token'), login('two'), ballot]);
    keepLogin(world.tabStore, login('one'), 1000);
    expect(await openBallot('s1', null, world)).toMatchObject({ ballot: { ballot_token: 't' } });
    expect(asked.map(({ url }) => url)).toEqual([
      '/api/v1/sessions/s1/ballot',
      '/api/v1/auth/refresh',
      '/api/v1/sessions/s1/ballot',
    ]);
    expect(asked[2]?.request.headers).toEqual({ authorization: 'Bearer two' });
  });

  test('an answer that is no ballot is not taken for one', async () => {
    const { world } = worldOf([{ kind: 'ok', status: 200, body: { hello: 'hotel' } }]);
    expect(await openBallot('s1', 'X', world)).toEqual({ answer: { kind: 'none' } });
  });
});
