import { expect, test } from 'vitest';
import { LoopWatch } from '#common/loop-watch.ts';

/** A loop whose timers come as late as a test wants. */
function loop() {
  let nowMs = 0;
  let timer: { atMs: number; act: () => void } | undefined;
  const watch = new LoopWatch({
    monotonicMs: () => nowMs,
    after: (ms, act) => {
      timer = { atMs: nowMs + ms, act };
      return () => undefined;
    },
  });
  /** Time passes; timers that are due run at its end, as after a busy loop. */
  const pass = (ms: number, runsTimers = true): void => {
    nowMs += ms;
    if (runsTimers && timer !== undefined && timer.atMs <= nowMs) timer.act();
  };
  return { watch, pass };
}

test('a loop that turns is no trouble, nor is one that is late by less than 1.5 s', () => {
  const { watch, pass } = loop();
  for (const ms of [100, 100, 900, 1600, 100]) {
    pass(ms);
    expect(watch.trouble()).toBeUndefined();
  }
});

test('a loop that stood still for two seconds is told for five', () => {
  const { watch, pass } = loop();
  pass(100);
  pass(2100);
  expect(watch.trouble()).toBe('the event loop stood still for 2.0 s just now');
  for (let at = 0; at < 49; at++) pass(100);
  expect(watch.trouble()).toBeDefined();
  pass(100);
  expect(watch.trouble()).toBeUndefined();
});

test('a probe that waited is told the truth before the timer that waited beside it', () => {
  const { watch, pass } = loop();
  pass(5000, false);
  expect(watch.trouble()).toBe('the event loop stood still for 4.9 s just now');
});
