import { expect, test } from 'vitest';
import { Lately } from '../../../regional-core/ledger/lately.ts';
import { ManualClock } from './manual-clock.ts';

test('tells how long ago something was done, each time anew', async () => {
  const clock = new ManualClock(1_800_000_000_000);
  const lately = new Lately(clock, 10);
  expect(lately.ageMs('seal')).toBe(Infinity);
  lately.add('seal');
  await clock.move(700);
  expect(lately.ageMs('seal')).toBe(700);
  lately.add('seal');
  expect(lately.ageMs('seal')).toBe(0);
});

test('holds no more than its bound: what was done longest ago is forgotten', () => {
  const lately = new Lately(new ManualClock(1_800_000_000_000), 3);
  for (const key of ['a', 'b', 'c', 'a', 'd']) lately.add(key);
  expect(['a', 'b', 'c', 'd'].map((key) => lately.ageMs(key))).toEqual([0, Infinity, 0, 0]);
});
