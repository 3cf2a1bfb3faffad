import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import {
  giveBackOne,
  takeOne,
  type WindowState,
} from '../../../../regional-core/identity/limit/sliding-window.ts';

const limit = { name: 'test', max: 5, windowMs: 1000 };

function take(times: readonly number[]): number[] {
  let state: WindowState | undefined;
  return times.filter((atMs) => {
    const answer = takeOne(state, limit, atMs);
    state = answer.state;
    return answer.taken;
  });
}

test('within one window exactly the limit is given', () => {
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 0, max: 999 }), { minLength: 5 }), (times) => {
      expect(take(times.toSorted((a, b) => a - b))).toHaveLength(5);
    }),
  );
});

test('within no stretch as long as a window is more than twice the limit given', () => {
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 0, max: 5000 }), { maxLength: 200 }), (times) => {
      const taken = take(times.toSorted((a, b) => a - b));
      for (const from of taken) {
        const within = taken.filter((at) => at >= from && at < from + limit.windowMs);
        expect(within.length).toBeLessThan(2 * limit.max);
      }
    }),
  );
});

test('who waits two windows starts afresh', () => {
  expect(take([0, 0, 0, 0, 0, 0, 2000, 2000, 2000, 2000, 2000, 2000])).toHaveLength(10);
});

test('what is given back can be taken again, and never makes more than the limit', () => {
  fc.assert(
    fc.property(fc.array(fc.boolean(), { maxLength: 50 }), (moves) => {
      let state: WindowState | undefined;
      let held = 0;
      for (const isTake of moves) {
        if (isTake) {
          const answer = takeOne(state, limit, 10);
          expect(answer.taken).toBe(held < limit.max);
          state = answer.state;
          if (answer.taken) held += 1;
        } else {
          state = giveBackOne(state, limit, 10);
          held = Math.max(0, held - 1);
        }
      }
    }),
  );
});

test('a state written by a clock that is ahead is read as of now', () => {
  const ahead = { window: 9, current: 5, previous: 0 };
  expect(takeOne(ahead, limit, 8500).taken).toBe(false);
});
