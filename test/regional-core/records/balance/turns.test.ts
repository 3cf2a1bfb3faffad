import { expect, test } from 'vitest';
import { Turns } from '../../../../regional-core/records/balance/turns.ts';

const ids = (count: number): string[] =>
  Array.from({ length: count }, (_, at) => String(at).padStart(4, '0'));

test('fifty sessions are all taken each time', () => {
  const turns = new Turns();
  for (let time = 0; time < 3; time += 1) expect(turns.next(ids(50)).toSorted()).toEqual(ids(50));
});

test('more take turns: none is left out, none is taken twice before all were', () => {
  const turns = new Turns();
  const taken = Array.from({ length: 6 }, () => turns.next(ids(120)));
  expect(taken.map(({ length }) => length)).toEqual([50, 50, 50, 50, 50, 50]);
  const times = Map.groupBy(taken.flat(), (id) => id);
  expect(times.size).toBe(120);
  expect(Math.max(...[...times.values()].map(({ length }) => length))).toBe(3);
  expect(new Set(taken.slice(0, 3).flat()).size).toBe(120);
});

test('the one whose turn ended may be gone, and so may all', () => {
  const turns = new Turns();
  turns.next(ids(120));
  expect(turns.next(ids(120).filter((id) => id !== '0049'))[0]).toBe('0050');
  expect(turns.next([])).toEqual([]);
  expect(turns.next(ids(2))).toEqual(ids(2));
});
