import { afterEach, beforeEach, expect, test } from 'vitest';
import {
  burstMsMax,
  fairFrom,
  Gate,
  inFlightMax,
  queueWaitMsMax,
  turnMsMax,
} from '#common/gate.ts';

/** Time stands still unless the test moves it; the beat comes when the test lets the loop turn. */
let nowMs: number;
let waitedMs: number;
let beat: () => void;
let gate: Gate;
beforeEach(() => {
  nowMs = 10_000;
  waitedMs = 0;
  const clock = {
    now: () => nowMs,
    monotonicMs: () => nowMs,
    after: (_: number, act: () => void) => {
      beat = act;
      return () => undefined;
    },
  };
  gate = new Gate({ clock, random: () => 0.5, waitedMs: () => waitedMs });
});
afterEach(() => gate.close());

/** The loop turns, and this turn has taken so long; it follows other long ones unless `calm`. */
function turn(ms: number, calm = false): void {
  for (let turns = calm ? 0 : 5; turns > 0; turns--) {
    beat();
    nowMs += burstMsMax + 10;
  }
  beat();
  nowMs += ms + 10;
}
const answer = (sessionId: string, times: number): void => {
  for (let no = 0; no < times; no++) gate.answered(sessionId);
};

test('lets everybody in while the loop turns and the queue moves', () => {
  turn(turnMsMax - 1);
  waitedMs = queueWaitMsMax - 1;
  expect(gate.refuse()).toBeUndefined();
});

test('refuses once a turn of the loop has taken too long, and no longer in the next turn', () => {
  turn(turnMsMax);
  expect(gate.refuse()).toBeGreaterThanOrEqual(1);
  turn(0);
  expect(gate.refuse()).toBeUndefined();
});

test('a burst is taken whole until long turns have gone on, and again after a calm while', () => {
  turn(burstMsMax - 1, true);
  expect(gate.refuse()).toBeUndefined();
  for (let turns = 0; turns < 5; turns++) turn(burstMsMax - 1, true);
  turn(turnMsMax, true);
  expect(gate.refuse()).toBeGreaterThanOrEqual(1);
  for (let beats = 0; beats <= 200; beats++) turn(0, true);
  turn(turnMsMax, true);
  expect(gate.refuse()).toBeUndefined();
});

test('a pause of the process is not held against those who waited it out', () => {
  nowMs += 2000;
  beat();
  expect(gate.refuse()).toBeUndefined();
});

test('refuses while the oldest record waits too long for its turn', () => {
  turn(0);
  waitedMs = queueWaitMsMax;
  expect(gate.refuse()).toBeGreaterThanOrEqual(1);
});

test('refuses once too many are under way, until one has left', () => {
  for (let no = 0; no < inFlightMax; no++) gate.enter();
  expect(gate.refuse()).toBeGreaterThanOrEqual(1);
  gate.leave();
  expect(gate.refuse()).toBeUndefined();
});

test('under pressure a session with more than its share is refused, and the others are not', () => {
  answer('hot', 100);
  for (const quiet of ['a', 'b', 'c']) answer(quiet, 10);
  expect(gate.refuseSession('hot')).toBeUndefined();
  turn(turnMsMax * fairFrom);
  expect(gate.refuseSession('hot')).toBeGreaterThanOrEqual(1);
  expect(gate.refuseSession('a')).toBeUndefined();
  expect(gate.refuseSession('unheard of')).toBeUndefined();
});

test('of two sessions the one at ten times the other is the hot one', () => {
  answer('hot', 100);
  answer('quiet', 10);
  turn(turnMsMax * fairFrom);
  expect(gate.refuseSession('hot')).toBeDefined();
  expect(gate.refuseSession('quiet')).toBeUndefined();
});

test('the only session has all there is', () => {
  answer('only', 1000);
  turn(turnMsMax * fairFrom);
  expect(gate.refuseSession('only')).toBeUndefined();
});

test('a session that was hot is so for two seconds at most', () => {
  answer('hot', 100);
  answer('quiet', 10);
  nowMs += 2000;
  answer('quiet', 10);
  turn(turnMsMax * fairFrom);
  expect(gate.refuseSession('hot')).toBeUndefined();
});

test('the more are refused for each that is answered, the later they come back, within bounds', () => {
  answer('a', 10);
  turn(turnMsMax);
  const waits = Array.from({ length: 1000 }, () => gate.refuse()!);
  // Half of the jitter on top of 1 + refused / answered.
  expect(waits[0]).toBe(2);
  expect(waits[39]).toBe(Math.round(1.5 * 5));
  expect(Math.max(...waits)).toBe(45);
});
