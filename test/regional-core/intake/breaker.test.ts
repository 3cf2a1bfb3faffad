import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { systemClock } from '#common/clock.ts';
import { createLog } from '#common/log.ts';
import { Breaker } from '../../../regional-core/intake/breaker.ts';

/** A store that answers, fails or is silent, and time that the test moves. */
const log = createLog({ service: 'test' }, 'error');
let breaker: Breaker;
let asked: number;
beforeEach(() => {
  vi.useFakeTimers();
  const clock = { ...systemClock, monotonicMs: () => Date.now() };
  breaker = new Breaker({ clock, log, store: 'store', answerMsMax: 80, restMs: 1000 });
  asked = 0;
});
afterEach(() => {
  vi.useRealTimers();
});
const pass = (ms: number) => vi.advanceTimersByTimeAsync(ms);

const answering = () => {
  asked++;
  return Promise.resolve('answer');
};
const failing = () => {
  asked++;
  return Promise.reject(new Error('READONLY'));
};
const silent = () => {
  asked++;
  return new Promise<string>(() => undefined);
};

/** How long each of these waited, once all have gone on. */
async function waits(...asks: Promise<unknown>[]): Promise<number[]> {
  const startedMs = Date.now();
  const ended: number[] = [];
  const all = asks.map(async (ask, index) => {
    await ask;
    ended[index] = Date.now() - startedMs;
  });
  await pass(1000);
  await Promise.all(all);
  return ended;
}

test('hands on what the store answers', async () => {
  expect(await breaker.ask(answering)).toBe('answer');
  expect(breaker.isOpen).toBe(false);
});

test('a silent store costs those who wait 100 ms at most, and the younger ones less', async () => {
  const first = breaker.ask(silent);
  await pass(60);
  const [oldest, younger] = await waits(first, breaker.ask(silent));
  expect(oldest! + 60).toBeLessThanOrEqual(100);
  expect(younger).toBeLessThan(40);
  expect(breaker.isOpen).toBe(true);
});

test('while it is open nobody waits and nothing is asked', async () => {
  await breaker.ask(failing);
  expect(await Promise.all([breaker.ask(answering), breaker.ask(answering)])).toEqual([
    undefined,
    undefined,
  ]);
  expect(asked).toBe(1);
});

test('after its rest one call at a time tries the store, aside', async () => {
  await breaker.ask(failing);
  await pass(1000);
  const many = Array.from({ length: 100 }, () => breaker.ask(silent));
  expect(await Promise.all(many)).toEqual(many.map(() => undefined));
  expect(asked).toBe(2);
  await pass(100);
  await breaker.ask(silent);
  expect(asked).toBe(2);
});

test('a trial that is answered closes it; one that fails lets it rest again', async () => {
  await breaker.ask(failing);
  await pass(1000);
  await breaker.ask(failing);
  await pass(999);
  await breaker.ask(answering);
  expect(asked).toBe(2);
  await pass(1);
  expect(await breaker.ask(answering)).toBeUndefined();
  expect(breaker.isOpen).toBe(false);
  expect(await breaker.ask(answering)).toBe('answer');
});

test('what comes back late neither opens nor closes it', async () => {
  let answer: (text: string) => void = () => undefined;
  let fail: (error: Error) => void = () => undefined;
  const first = breaker.ask(() => new Promise<string>((resolve) => (answer = resolve)));
  const second = breaker.ask(() => new Promise<string>((_, reject) => (fail = reject)));
  await pass(100);
  expect(await Promise.all([first, second])).toEqual([undefined, undefined]);
  answer('late');
  await pass(0);
  expect(breaker.isOpen).toBe(true);
  await pass(1000);
  await breaker.ask(answering);
  expect(breaker.isOpen).toBe(false);
  fail(new Error('later still'));
  await pass(0);
  expect(breaker.isOpen).toBe(false);
});

test('a pause of this process is not taken for a silent store', async () => {
  const ask = breaker.ask(
    () => new Promise<string>((resolve) => setTimeout(() => resolve('in the socket'), 70)),
  );
  await pass(10);
  // Its timers come first after a pause, what lies in the sockets later.
  vi.setSystemTime(Date.now() + 500);
  await pass(60);
  expect(await ask).toBe('in the socket');
  expect(breaker.isOpen).toBe(false);
});

test('nothing is timed while nobody waits', async () => {
  await breaker.ask(answering);
  await pass(100);
  expect(vi.getTimerCount()).toBe(0);
});
