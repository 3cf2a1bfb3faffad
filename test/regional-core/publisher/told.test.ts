import { expect, test } from 'vitest';
import { higherOf } from '../../../regional-core/publisher/told.ts';

test('of two publishers the higher of everything is what was told', () => {
  const one = { epoch: 1, covers: { a: [1, 5] }, corrections: 4 };
  const other = { epoch: 2, covers: { a: [3, 2, 1], b: [4] }, corrections: 3 };
  expect(higherOf(one, other)).toEqual({
    epoch: 2,
    covers: { a: [3, 5, 1], b: [4] },
    corrections: 4,
  });
});
