import { afterEach, beforeEach, expect, test } from 'vitest';
import { Coverage, coverageTable } from './coverage.ts';
import { cutPoints } from './cut-points.ts';
import { Random } from './random.ts';
import { runSeed } from './run.ts';
import { Process, Timeline } from './timeline.ts';

const { stackTraceLimit } = Error;
// Refusals are made by the thousand, and nobody reads where.
beforeEach(() => {
  Error.stackTraceLimit = 0;
});
afterEach(() => {
  Error.stackTraceLimit = stackTraceLimit;
});

test('300 runs keep every invariant', { timeout: 60_000 }, async () => {
  const coverage = new Coverage();
  for (let seed = 1; seed <= 300; seed++) {
    const { wrong, steps, faults } = await runSeed(seed, { coverage });
    expect(wrong, `seed ${seed}`).toEqual([]);
    expect(steps).toBeGreaterThanOrEqual(300);
    expect(faults.length).toBeGreaterThanOrEqual(3);
  }
  // Every await was hit, if not by each fault: that takes the 10,000 runs of `npm run simulate`.
  const { text } = coverageTable(coverage, cutPoints);
  for (const [point, cuts] of cutPoints) {
    const hits = cuts.reduce((sum, cut) => sum + coverage.count(point, cut), 0);
    expect(hits, `${point}\n${text}`).toBeGreaterThan(0);
  }
});

test('every await that can be hit has its row in the table', async () => {
  const coverage = new Coverage();
  for (let seed = 1; seed <= 60; seed++) await runSeed(seed, { coverage });
  const rows = new Set(['page.post', ...cutPoints.map(([point]) => point)]);
  const strays = coverage.entries().filter(([key]) => !rows.has(key.split('|')[0]!));
  expect(strays).toEqual([]);
});

test('a seed gives the same run again, another seed another one', async () => {
  const [one, again, other] = [await runSeed(7), await runSeed(7), await runSeed(8)];
  expect(again).toEqual(one);
  expect(other.hash).not.toBe(one.hash);
});

test('an await that was never hit is named', () => {
  const coverage = new Coverage();
  coverage.hit('log.append', 'answer lost');
  const { missed } = coverageTable(coverage, [['log.append', ['answer lost', 'request lost']]]);
  expect(missed).toEqual(['log.append × request lost']);
});

test('time moves only when every promise has settled', async () => {
  const timeline = new Timeline();
  const said: string[] = [];
  const chain = async (name: string): Promise<void> => {
    for (let step = 0; step < 3; step++) {
      await Promise.resolve();
      said.push(`${name}${step}`);
    }
  };
  timeline.after(5, () => void chain('a'));
  timeline.after(5, () => void chain('b'));
  await timeline.run(() => said.length === 6, 10);
  expect(said).toEqual(['a0', 'a1', 'a2', 'b0', 'b1', 'b2']);
});

test('a process that has died runs nothing, a stopped one runs it later', async () => {
  const timeline = new Timeline();
  const said: string[] = [];
  const [dead, stopped] = [new Process(timeline, 'dead'), new Process(timeline, 'stopped')];
  dead.after(10, () => said.push('dead'));
  stopped.after(10, () => said.push(`stopped ${timeline.nowMs}`));
  dead.die();
  stopped.stoppedUntilMs = 50;
  await timeline.run(() => false, 100);
  expect(said).toEqual(['stopped 50']);
});

test('random numbers follow from their seed and are spread', () => {
  const draw = (seed: number): number[] => {
    const random = new Random(seed);
    return Array.from({ length: 1000 }, () => random.whole(0, 9));
  };
  expect(draw(1)).toEqual(draw(1));
  expect(draw(1)).not.toEqual(draw(2));
  for (let digit = 0; digit < 10; digit++) {
    const times = draw(3).filter((drawn) => drawn === digit).length;
    expect(times).toBeGreaterThan(60);
    expect(times).toBeLessThan(140);
  }
});
