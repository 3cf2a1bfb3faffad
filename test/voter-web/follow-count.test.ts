import { describe, expect, test } from 'vitest';
import type { Answer } from '../../voter-web/api.ts';
import { askCountState, followCount } from '../../voter-web/follow-count.ts';
import type { RecordedVote } from '../../voter-web/kept-vote.ts';
import { token } from './fixtures.ts';

const vote: RecordedVote = {
  stage: 'recorded',
  voteId: 'v1',
  acceptedAt: '2026-11-22T20:00:00.000Z',
  confirmationCode: 'AAAAA-BBBBB',
  receipt: token({ region: 'r', partition: 0, offset: 41 }),
  ballotToken: 'ballot',
  count: null,
};

const state = (status: string, confirmation_code = 'AAAAA-BBBBB'): Answer => ({
  kind: 'ok',
  status: 200,
  body: { status, confirmation_code, accepted_at: '' },
});

/** A world in which waiting moves the clock, and the count has read up to `covered(now)`. */
function worldOf(covered: (nowMs: number) => number, states: Answer[]) {
  let nowMs = 0;
  const looks: number[] = [];
  const asked: { url: string; atMs: number }[] = [];
  const world = {
    askSnapshot: async (): Promise<Answer> => {
      looks.push(nowMs);
      const body = { options: [], sequence: 1, covers: { r: [covered(nowMs)] } };
      return { kind: 'ok', status: 200, body };
    },
    ask: async (url: string): Promise<Answer> => {
      asked.push({ url, atMs: nowMs });
      return states.shift() ?? { kind: 'none' };
    },
    wait: async (ms: number) => {
      nowMs += ms;
    },
    now: () => nowMs,
    random: () => 0.5,
  };
  return { world, looks, asked };
}

describe('following a vote until it is counted', () => {
  test('the cached snapshot is looked at one second after the receipt, and nobody else asked', async () => {
    const { world, looks, asked } = worldOf(() => 42, []);
    expect(await followCount(vote, world)).toBe('unchecked');
    expect(looks).toEqual([1000]);
    expect(asked).toEqual([]);
  });

  test('looks are at most ten seconds apart', async () => {
    const { world, looks } = worldOf((nowMs) => (nowMs > 50_000 ? 42 : 41), []);
    await followCount(vote, world);
    const gaps = looks.slice(1).map((look, place) => look - (looks[place] ?? 0));
    expect(Math.max(...gaps)).toBeLessThanOrEqual(10_000);
  });

  test('after a minute the state is asked for once, with the receipt’s coordinates', async () => {
    const { world, asked } = worldOf(() => 0, []);
    expect(await followCount(vote, world)).toBeNull();
    expect(asked).toHaveLength(1);
    expect(asked[0]?.url).toBe('/api/v1/votes/v1?at=r/0/41');
    expect(asked[0]?.atMs).toBeGreaterThanOrEqual(60_000);
  });

  test('the code of the row that counts tells whose choice counts', async () => {
    const same = worldOf(() => 0, [state('counted')]);
    expect(await followCount(vote, same.world)).toBe('as-cast');
    const other = worldOf(() => 0, [state('counted', 'CCCCC-DDDDD')]);
    expect(await followCount(vote, other.world)).toBe('earlier-choice');
    const held = worldOf(() => 0, [state('quarantined')]);
    expect(await followCount(vote, held.world)).toBe('quarantined');
  });

  test('a vote found by its state alone is followed by its state', async () => {
    const { world, asked } = worldOf(
      () => 99,
      [state('accepted'), state('accepted'), state('counted')],
    );
    expect(await followCount({ ...vote, receipt: null }, world)).toBe('one-of-yours');
    expect(asked.map(({ url }) => url)).toEqual(Array(3).fill('/api/v1/votes/v1'));
  });

  test('a vote whose region was lost with every copy is told as such', async () => {
    const problem = {
      status: 410,
      error: 'region_lost',
      message: '',
      requestId: null,
      retryable: false,
      retryAfterS: null,
      members: {},
    };
    const { world } = worldOf(() => 41, [{ kind: 'problem', problem }]);
    expect(await askCountState(vote, world)).toBe('region-lost');
  });

  test('without a ballot nothing is asked', async () => {
    const { world, asked } = worldOf(() => 0, [state('counted')]);
    expect(await askCountState({ ...vote, ballotToken: null }, world)).toBeNull();
    expect(asked).toEqual([]);
  });
});
