import { beforeEach, expect, test } from 'vitest';
import { sleep } from '#common/clock.ts';
import { TurnGuard } from '../../../local/edge/turn-guard.ts';

let nowMs = 0;
const clock = { monotonicMs: () => nowMs };

beforeEach(() => {
  nowMs = 1000;
});

/** What the guard says of each of `count` requests of one turn. */
function ask(guard: TurnGuard, count: number): boolean[] {
  return Array.from({ length: count }, () => guard.isLate());
}

test('turns away what waited more than 60 ms behind a crowd of requests of its turn', () => {
  const turnEnds: (() => void)[] = [];
  const guard = new TurnGuard(clock, (act) => turnEnds.push(act));
  expect(ask(guard, 100)).not.toContain(true);
  nowMs += 60;
  expect(ask(guard, 100)).not.toContain(true);
  nowMs += 1;
  expect(ask(guard, 100)).not.toContain(false);
  expect(turnEnds).toHaveLength(1);
  turnEnds[0]?.();
  expect(guard.isLate()).toBe(false);
});

test('a slow turn with few requests serves them all', () => {
  const guard = new TurnGuard(clock, () => {});
  expect(guard.isLate()).toBe(false);
  nowMs += 5000;
  expect(ask(guard, 31)).not.toContain(true);
  expect(guard.isLate()).toBe(true);
});

test('a turn ends with the turn of the event loop', async () => {
  const guard = new TurnGuard(clock);
  ask(guard, 100);
  nowMs += 500;
  expect(guard.isLate()).toBe(true);
  await sleep(5);
  expect(guard.isLate()).toBe(false);
});
