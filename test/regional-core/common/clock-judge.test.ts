import { expect, test } from 'vitest';
import type { ClockError } from '#common/clock-bound.ts';
import { ClockJudge } from '#common/clock-judge.ts';

const startMs = Date.UTC(2026, 0, 1);

/** A machine whose true time, own wall clock and error a test sets. */
class Machine {
  monotonic = 5000;
  /** What the wall clock is off. */
  offMs = 0;
  error: ClockError = { ms: 5 };
  readonly judge: ClockJudge;

  constructor(canVouch = false, offMs = 0) {
    this.offMs = offMs;
    const clock = {
      now: () => Math.floor(this.trueMs + this.offMs),
      monotonicMs: () => this.monotonic,
    };
    this.judge = new ClockJudge(clock, () => this.error, canVouch);
  }

  get trueMs(): number {
    return startMs + this.monotonic;
  }

  hear(peer: string, offMs: number, wayMs = 1, resolutionMs = 0): void {
    const askedMs = this.monotonic;
    this.monotonic += wayMs;
    const exact = this.trueMs - wayMs / 2 + offMs;
    const ms = resolutionMs === 0 ? exact : Math.floor(exact / resolutionMs) * resolutionMs;
    this.judge.hear(peer, { ms, resolutionMs, askedMs, heardMs: this.monotonic });
  }

  pass(ms: number): void {
    for (let passed = 0; passed < ms; passed += 1000) {
      this.monotonic += 1000;
      this.judge.review();
    }
  }
}

test('a clock that keeps step is trusted, with peers and without', () => {
  const machine = new Machine();
  machine.pass(600_000);
  expect(machine.judge.doubts()).toEqual([]);
  for (const peer of ['redis', 'b', 'c']) machine.hear(peer, 0);
  machine.pass(1000);
  expect(machine.judge.doubts()).toEqual([]);
});

test.each([300_000, -300_000, 8, -8])('a clock that is set by %i ms is doubted at once', (byMs) => {
  const machine = new Machine();
  machine.pass(3000);
  machine.offMs = byMs;
  expect(machine.judge.doubts()).toEqual([
    `the clock was set: it moved by ${byMs} ms against the monotonic clock`,
  ]);
  machine.offMs = 0;
  expect(machine.judge.doubts()).toEqual([]);
});

test('within its bound and what reading it costs it may move', () => {
  const machine = new Machine();
  machine.offMs = 6;
  expect(machine.judge.doubts()).toEqual([]);
});

test('an error above 50 ms, or one that nobody knows, is a doubt', () => {
  const machine = new Machine();
  machine.error = { ms: 50 };
  expect(machine.judge.doubts()).toEqual([]);
  machine.error = { ms: 51 };
  expect(machine.judge.doubts()).toEqual(['the clock may be off by 51 ms; 50 ms is the most']);
  machine.error = { unknown: 'no daemon' };
  expect(machine.judge.doubts()).toEqual(['the error of the clock is not known: no daemon']);
});

test('a clock that was wrong from the start is found by its peers', () => {
  const machine = new Machine(false, 300_000);
  machine.hear('redis', 0);
  machine.hear('b', 0, 3, 1);
  machine.pass(1000);
  expect(machine.judge.doubts()).toEqual([
    expect.stringMatching(/^2 of 2 peers say that the clock is off by (299999|300000) ms$/),
  ]);
});

test('one peer that is wrong, or alone, decides nothing', () => {
  const machine = new Machine();
  machine.hear('redis', 300_000);
  machine.pass(1000);
  expect(machine.judge.doubts()).toEqual([]);
  machine.hear('b', 0);
  machine.hear('c', 0);
  machine.pass(1000);
  expect(machine.judge.doubts()).toEqual([]);
});

test('what the way of an answer may hide is never held against the clock', () => {
  const machine = new Machine();
  // The whole way was the way back: the worst an answer can look.
  for (const peer of ['redis', 'b', 'c']) {
    const askedMs = machine.monotonic;
    const ms = machine.trueMs;
    machine.monotonic += 900;
    machine.judge.hear(peer, { ms, resolutionMs: 0, askedMs, heardMs: machine.monotonic });
  }
  machine.pass(1000);
  expect(machine.judge.doubts()).toEqual([]);
});

test('a slow answer does not hide what a quick one showed', () => {
  const machine = new Machine(false, 300);
  for (const peer of ['redis', 'b']) {
    machine.hear(peer, 0, 2);
    machine.hear(peer, 0, 950);
  }
  machine.pass(1000);
  expect(machine.judge.doubts()).toHaveLength(1);
});

test('whole seconds show what is off by more than they hide', () => {
  for (const [offMs, doubts] of [
    [450, 0],
    [1600, 1],
  ] as const) {
    const machine = new Machine(false, offMs);
    machine.hear('b', 0, 1, 1000);
    machine.hear('c', 0, 1, 1000);
    machine.pass(1000);
    expect(machine.judge.doubts(), String(offMs)).toHaveLength(doubts);
  }
});

test('peers that fell silent are forgotten after a minute', () => {
  const machine = new Machine(false, 300_000);
  machine.hear('redis', 0);
  machine.hear('b', 0);
  machine.pass(59_000);
  expect(machine.judge.doubts()).toHaveLength(1);
  machine.pass(2000);
  expect(machine.judge.doubts()).toEqual([]);
});

test('a clock that was set right is trusted again once its peers have vouched for it', () => {
  const machine = new Machine(false, 200);
  machine.pass(5000);
  machine.offMs = 0;
  machine.pass(29_000);
  machine.hear('redis', 0);
  expect(machine.judge.doubts()).toHaveLength(1);
  machine.pass(10_000);
  expect(machine.judge.doubts(), 'one peer is not enough').toHaveLength(1);
  machine.hear('b', 0);
  machine.pass(1000);
  expect(machine.judge.doubts()).toEqual([]);
});

test('a clock that was set wrong, or goes on moving, is not trusted again', () => {
  const machine = new Machine();
  for (const [at, byMs] of [300_000, 300_500, 301_000].entries()) {
    machine.offMs = byMs;
    machine.hear('redis', at === 0 ? 0 : byMs);
    machine.hear('b', at === 0 ? 0 : byMs);
    machine.pass(20_000);
    expect(machine.judge.doubts().join(), String(byMs)).toContain('the clock was set');
  }
});

test('without peers a step is forgiven only where the time service is watched itself', () => {
  for (const canVouch of [true, false]) {
    const machine = new Machine(canVouch);
    machine.offMs = 1000;
    machine.pass(40_000);
    expect(machine.judge.doubts(), String(canVouch)).toHaveLength(canVouch ? 0 : 1);
  }
});
