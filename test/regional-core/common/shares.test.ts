import { expect, test } from 'vitest';
import { Shares } from '#common/shares.ts';
import { ManualClock } from '../ledger/manual-clock.ts';

function sharesUnderTest() {
  const clock = new ManualClock(10_000);
  const shares = new Shares(clock);
  const count = (session: string, times: number): void => {
    for (let time = 0; time < times; time++) shares.count(session);
  };
  return { clock, shares, count };
}

test('the only session has no more than its share, however much that is', () => {
  const { shares, count } = sharesUnderTest();
  expect(shares.isHot('one')).toBe(false);
  count('one', 10_000);
  expect(shares.isHot('one')).toBe(false);
});

test('a session is hot from more than one and a half times the mean', () => {
  const { shares, count } = sharesUnderTest();
  count('one', 75);
  count('two', 25);
  // The mean is 50.
  expect([shares.isHot('one'), shares.isHot('two')]).toEqual([false, false]);
  count('one', 4);
  expect([shares.isHot('one'), shares.isHot('two')]).toEqual([true, false]);
  expect(shares.isHot('never heard of')).toBe(false);
});

test('what a session was given is forgotten after the second that follows', async () => {
  const { clock, shares, count } = sharesUnderTest();
  count('one', 90);
  count('two', 10);
  await clock.move(1000);
  expect(shares.isHot('one')).toBe(true);
  count('one', 5);
  count('two', 5);
  expect(shares.isHot('one')).toBe(true);
  await clock.move(1000);
  expect(shares.isHot('one')).toBe(false);
});

test('after a pause nothing of what was before it counts', async () => {
  const { clock, shares, count } = sharesUnderTest();
  count('one', 90);
  count('two', 10);
  shares.countRefused();
  await clock.move(2000);
  expect(shares.isHot('one')).toBe(false);
  expect(shares.countRefused()).toBe(1);
});

test('tells how many are refused for each that is answered, over both seconds', async () => {
  const { clock, shares, count } = sharesUnderTest();
  expect(shares.countRefused()).toBe(1);
  expect(shares.countRefused()).toBe(2);
  count('one', 4);
  expect(shares.countRefused()).toBe(3 / 4);
  await clock.move(1000);
  expect(shares.countRefused()).toBe(4 / 4);
  await clock.move(1000);
  expect(shares.countRefused()).toBe(2);
});
