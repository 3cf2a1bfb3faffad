import { expect, test } from 'vitest';
import { Lanes } from '../../../regional-core/intake/lanes.ts';

interface One {
  readonly enqueuedMs: number;
  readonly name: string;
}

/** Lanes with so many waiting in each, the first come at 0 ms, one each ms. */
function lanesOf(placesMax: number, counts: Record<string, number>): Lanes<One> {
  const lanes = new Lanes<One>(placesMax);
  for (const [session, count] of Object.entries(counts)) {
    for (let no = 0; no < count; no++) {
      lanes.reserve(session);
      lanes.push(session, { enqueuedMs: no, name: `${session}${no}` });
    }
  }
  return lanes;
}
const names = (taken: readonly One[]): string[] => taken.map(({ name }) => name);

test('a session alone has all places, and no more', () => {
  const lanes = new Lanes<One>(10);
  const given = Array.from({ length: 12 }, () => lanes.reserve('a'));
  expect(given.filter(Boolean)).toHaveLength(10);
  lanes.release('a');
  expect(lanes.reserve('a')).toBe(true);
});

test('once half of the places are taken, a session has its fair share and others get theirs', () => {
  const lanes = new Lanes<One>(12);
  for (let no = 0; no < 4; no++) lanes.reserve('quiet');
  const hot = Array.from({ length: 12 }, () => lanes.reserve('hot')).filter(Boolean);
  expect(hot).toHaveLength(6);
  expect(lanes.reserve('quiet')).toBe(true);
  expect(lanes.reserve('new')).toBe(true);
  expect(lanes.held).toBe(12);
});

test('a batch takes as many of each session as there are, the first come first', () => {
  const lanes = lanesOf(100, { hot: 20, a: 2, b: 4 });
  expect(names(lanes.take(9))).toEqual([
    'hot0',
    'hot1',
    'hot2',
    'a0',
    'a1',
    'b0',
    'b1',
    'b2',
    'hot3',
  ]);
  expect(lanes.waiting).toBe(17);
  expect(names(lanes.take(100))).toHaveLength(17);
  expect(lanes.take(1)).toEqual([]);
});

test('those who came too long ago are taken out of every lane', () => {
  const lanes = lanesOf(100, { a: 5, b: 2 });
  expect(names(lanes.takeOlder(1)).toSorted()).toEqual(['a0', 'a1', 'b0', 'b1']);
  expect(lanes.oldestMs()).toBe(2);
  expect(lanes.waiting).toBe(3);
  lanes.takeOlder(100);
  expect(lanes.oldestMs()).toBeUndefined();
});

test('a place given back too often changes nothing', () => {
  const lanes = new Lanes<One>(2);
  lanes.reserve('a');
  lanes.release('a');
  lanes.release('a');
  expect(lanes.held).toBe(0);
});
