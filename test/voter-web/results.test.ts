import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  applyTick,
  areFinal,
  areHidden,
  leading,
  newer,
  type Results,
  readResults,
  readTick,
} from '../../voter-web/results.ts';

function totals(counts: (number | null)[], sequence = 10): Results {
  const options = counts.map((vote_count, place) => ({
    option_id: `o${place}`,
    label: `Option ${place}`,
    vote_count,
    percentage: null,
  }));
  return {
    session_id: 's1',
    total_votes: counts.reduce<number>((sum, count) => sum + (count ?? 0), 0),
    options,
    last_updated: '2026-11-22T20:00:00.000Z',
    state: 'open',
    stale: false,
    corrections: [],
    is_finalized: false,
    final_url: null,
    sequence,
    covers: {},
  };
}
const at = '2026-11-22T20:00:01.000Z';

describe('live totals', () => {
  test('a tick changes the named counts, and the shares of all', () => {
    const shown = applyTick(totals([1, 1]), { t: 4, c: [[1, 3]] }, 11, at);
    expect(shown).toMatchObject({ total_votes: 4, sequence: 11, last_updated: at });
    expect(shown.options.map((option) => option.vote_count)).toEqual([1, 3]);
    expect(shown.options.map((option) => option.percentage)).toEqual([25, 75]);
  });

  test('a tick that is not newer changes nothing', () => {
    const shown = totals([1, 1]);
    expect(applyTick(shown, { t: 9, c: [[0, 8]] }, 10, at)).toBe(shown);
    expect(applyTick(shown, { t: 9, c: [[0, 8]] }, Number.NaN, at).sequence).not.toBe(11);
  });

  test('a snapshot that comes late never takes bars back', () => {
    const shown = totals([5], 20);
    expect(newer(shown, totals([4], 19))).toBe(shown);
    expect(newer(shown, totals([6], 21)).options[0]?.vote_count).toBe(6);
  });

  test('a place that no option has is passed over', () => {
    const shown = applyTick(totals([1]), { t: 1, c: [[7, 99]] }, 11, at);
    expect(shown.options).toHaveLength(1);
    expect(shown.options[0]?.vote_count).toBe(1);
  });

  test('a final result is final once its counts can be seen', () => {
    expect(areFinal(null)).toBe(false);
    expect(areFinal({ ...totals([1, 2]), is_finalized: true })).toBe(true);
    expect(areFinal({ ...totals([null, null]), is_finalized: true })).toBe(false);
  });

  test('a snapshot of a service before this one is open, not stale and uncorrected', () => {
    const { state: _, stale: __, corrections: ___, final_url: ____, ...older } = totals([1]);
    expect(readResults(older)).toEqual(totals([1]));
  });

  test('hidden counts are told from zeros, and lead nothing', () => {
    expect(areHidden(totals([null, null]))).toBe(true);
    expect(areHidden(totals([0, 0]))).toBe(false);
    expect(leading(totals([0, 0]))).toEqual([]);
    expect(leading(totals([2, 1, 2])).map((option) => option.option_id)).toEqual(['o0', 'o2']);
  });

  test('what is not a snapshot or a tick is read as none', () => {
    for (const body of [null, 'text', {}, { options: [] }, { options: [], sequence: '7' }]) {
      expect(readResults(body)).toBeNull();
    }
    for (const data of ['', '{', 'null', '{}', '{"t":1}', '{"c":[]}']) {
      expect(readTick(data)).toBeNull();
    }
    expect(readTick('{"t":3,"c":[[0,3]]}')).toEqual({ t: 3, c: [[0, 3]] });
  });

  test('whatever counts come in, shares lie between 0 and 100 and add up to about 100', () => {
    const counts = fc.array(fc.nat(1_000_000), { minLength: 1, maxLength: 20 });
    fc.assert(
      fc.property(counts, (all) => {
        const total = all.reduce((sum, count) => sum + count, 0);
        const tick = { t: total, c: all.map((count, place) => [place, count] as const) };
        const shown = applyTick(totals(all.map(() => 0)), tick, 11, at);
        const shares = shown.options.map((option) => option.percentage ?? Number.NaN);
        for (const share of shares) expect(share >= 0 && share <= 100).toBe(true);
        const sum = shares.reduce((before, share) => before + share, 0);
        expect(Math.abs(sum - (total === 0 ? 0 : 100))).toBeLessThanOrEqual(
          0.005 * all.length + 1e-6,
        );
      }),
    );
  });
});
