import { expect, test } from 'vitest';
import type { Clock } from '#common/clock.ts';
import { Staleness } from '../../../regional-core/publisher/staleness.ts';

function clockAt(startMs: number): Clock & { pass: (ms: number) => void } {
  let passedMs = 0;
  return {
    now: () => startMs + passedMs,
    monotonicMs: () => passedMs,
    after: () => () => {},
    pass: (ms) => {
      passedMs += ms;
    },
  };
}

test('totals that lie behind are stale at once, and until they are told again', () => {
  const clock = clockAt(1_000_000);
  const staleness = new Staleness(clock, null);
  staleness.told();
  expect(staleness.sinceMs).toBeNull();
  clock.pass(200);
  staleness.behind();
  expect(staleness.sinceMs).toBe(1_000_200);
  clock.pass(10_000);
  expect(staleness.sinceMs).toBe(1_000_200);
  staleness.told();
  expect(staleness.sinceMs).toBeNull();
});

test('when nothing can be told they become stale after two seconds, since the last', () => {
  const clock = clockAt(1_000_000);
  const staleness = new Staleness(clock, null);
  clock.pass(500);
  staleness.told();
  clock.pass(2000);
  expect(staleness.sinceMs).toBeNull();
  clock.pass(1);
  expect(staleness.sinceMs).toBe(1_000_500);
});

test('what an earlier process said of them holds until the first read', () => {
  const clock = clockAt(1_000_000);
  const staleness = new Staleness(clock, 900_000);
  expect(staleness.sinceMs).toBe(900_000);
  staleness.behind();
  expect(staleness.sinceMs).toBe(900_000);
  staleness.told();
  expect(staleness.sinceMs).toBeNull();
});
