import { expect, test } from 'vitest';
import type { TotalsMessage } from '#common/contracts/vote-aggregated.ts';
import { higherOf, TellingTotals } from '../../../regional-core/publisher/told.ts';

test('of two publishers the higher of everything is what was told', () => {
  const one = { epoch: 1, covers: { a: [1, 5] }, corrections: 4 };
  const other = { epoch: 2, covers: { a: [3, 2, 1], b: [4] }, corrections: 3 };
  expect(higherOf(one, other)).toEqual({
    epoch: 2,
    covers: { a: [3, 5, 1], b: [4] },
    corrections: 4,
  });
});

test('the newest server is the highest timeline of the highest epoch', () => {
  const telling = new TellingTotals();
  const hear = (epoch: number, timeline?: number): unknown => {
    const told = timeline === undefined ? {} : { timeline };
    telling.hear({ session_id: 'a', epoch, sequence: 1, covers: {}, ...told } as TotalsMessage);
    return telling.told.writer;
  };
  expect(hear(1)).toEqual({ epoch: 1, timeline: 0 });
  expect(hear(1, 4)).toEqual({ epoch: 1, timeline: 4 });
  expect(hear(1, 3)).toEqual({ epoch: 1, timeline: 4 });
  expect(hear(2, 1)).toEqual({ epoch: 2, timeline: 1 });
  expect(hear(1, 9)).toEqual({ epoch: 2, timeline: 1 });
});
