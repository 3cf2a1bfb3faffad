import { expect, test } from 'vitest';
import { BackOff } from '../../local/back-off.ts';

test('the wait doubles from 200 ms to 5 s', () => {
  const backOff = new BackOff();
  const waits = Array.from({ length: 7 }, () => backOff.next(10));
  expect(waits).toEqual([200, 400, 800, 1_600, 3_200, 5_000, 5_000]);
});

test('30 s up earn a quick restart again', () => {
  const backOff = new BackOff();
  backOff.next(10);
  backOff.next(29_999);
  expect(backOff.next(30_000)).toBe(200);
  expect(backOff.next(10)).toBe(400);
});
