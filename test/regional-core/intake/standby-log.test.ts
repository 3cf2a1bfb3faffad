import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { systemClock } from '#common/clock.ts';
import { createLog } from '#common/log.ts';
import { OutcomeUnknownError } from '../../../regional-core/intake/batch-sender.ts';
import {
  type Place,
  ProduceQueue,
  produceDeadlineMs,
} from '../../../regional-core/intake/produce-queue.ts';
import { type StandbyChoice, StandbyLog } from '../../../regional-core/intake/standby-log.ts';
import { type Fault, MemoryVoteLog } from '../../support/memory-vote-log.ts';

/** The queue with both logs in memory: what a receipt may say, and when. */
const clock = { ...systemClock, monotonicMs: () => Date.now() };
const log = createLog({ service: 'test' }, 'error');
let isSafe = true;
const always = (fault: Fault): Fault[] => Array.from({ length: 10_000 }, () => fault);
let own: MemoryVoteLog;
let other: MemoryVoteLog;

beforeEach(() => {
  vi.useFakeTimers();
  own = new MemoryVoteLog([1, 2]);
  other = new MemoryVoteLog([1, 2]);
  isSafe = true;
});
afterEach(() => {
  vi.useRealTimers();
});

function createQueue(choice: StandbyChoice) {
  const observer = { attempted: () => undefined };
  const parts = { standby: other, observer, clock, log, choice };
  const standby = new StandbyLog({ ...parts, isSafe: () => isSafe });
  const queue = new ProduceQueue({ log: own, observer, standby, clock, durability: 'region' });
  return { queue, standby };
}

type Queue = ReturnType<typeof createQueue>['queue'];

/** How an append ended and after how many ms; undefined when there was no place for it. */
async function append(queue: Queue): Promise<{ end: Place | Error; tookMs: number } | undefined> {
  const startedMs = Date.now();
  const record = { key: Buffer.from('session'), value: Buffer.from('vote') };
  const appended = queue.reserve('session')?.append(record);
  if (appended === undefined) return undefined;
  const ended = appended
    .catch((error: unknown) => error as Error)
    .then((end) => ({ end, tookMs: Date.now() - startedMs }));
  await vi.advanceTimersByTimeAsync(produceDeadlineMs + 500);
  return ended;
}

test('both logs acknowledged: two-regions, and the same records lie in both', async () => {
  const { queue } = createQueue('refuse');
  expect((await append(queue))!.end).toMatchObject({ offset: 0, durability: 'two-regions' });
  expect(other.written.flat()).toEqual(own.written.flat());
});

test('the copy is sent beside the own log, not after it', async () => {
  const { queue } = createQueue('refuse');
  own.faults = ['not_written'];
  void append(queue);
  await vi.advanceTimersByTimeAsync(10);
  expect([own.appends.length, other.appends.length]).toEqual([1, 1]);
  await vi.advanceTimersByTimeAsync(5000);
});

test.each<StandbyChoice>(['refuse', 'accept'])(
  'the own log silent (%s): unknown, whatever the copy says',
  async (choice) => {
    const { queue } = createQueue(choice);
    own.faults = always('not_written');
    expect((await append(queue))!.end).toBeInstanceOf(OutcomeUnknownError);
    expect(queue.held).toBe(0);
  },
);

test('accept: a copy that is not acknowledged makes the receipt say region, never two-regions', async () => {
  const { queue } = createQueue('accept');
  other.faults = always('written_unanswered');
  const first = (await append(queue))!;
  expect(first.end).toMatchObject({ durability: 'region' });
  expect(first.tookMs).toBeLessThan(1000);
});

test('accept: while the other region is known to be away nobody waits for it', async () => {
  const { queue, standby } = createQueue('accept');
  other.faults = always('not_written');
  await append(queue);
  expect(standby.isAway).toBe(true);
  const next = (await append(queue))!;
  expect(next.end).toMatchObject({ durability: 'region' });
  expect(next.tookMs).toBeLessThan(10);
});

test('refuse: a copy that is not acknowledged leaves the outcome unknown', async () => {
  const { queue } = createQueue('refuse');
  other.faults = always('refused');
  const { end, tookMs } = (await append(queue))!;
  expect(end).toBeInstanceOf(OutcomeUnknownError);
  expect(tookMs).toBeLessThanOrEqual(produceDeadlineMs);
});

test('refuse: while the other region is known to be away nothing is written, but for one trial a second', async () => {
  const { queue } = createQueue('refuse');
  other.faults = always('refused');
  await append(queue);
  const before = own.written.flat().length;
  await vi.advanceTimersByTimeAsync(1000);
  const trial = queue.reserve('session');
  expect(trial).toBeDefined();
  expect(queue.reserve('session')).toBeUndefined();
  // The trial may end elsewhere, at a limit for example: a second later another one may try.
  trial!.release();
  expect(own.written.flat()).toHaveLength(before);
  await vi.advanceTimersByTimeAsync(1000);
  expect((await append(queue))!.end).toBeInstanceOf(OutcomeUnknownError);
});

test.each<StandbyChoice>(['refuse', 'accept'])(
  'once it is back (%s), receipts say two-regions again',
  async (choice) => {
    const { queue } = createQueue(choice);
    other.faults = always('refused');
    await append(queue);
    other.faults = [];
    const ends: (Place | Error)[] = [];
    for (let tries = 0; tries < 3; tries++) ends.push((await append(queue))!.end);
    expect(ends.at(-1)).toMatchObject({ durability: 'two-regions' });
    expect(ends[0]).not.toMatchObject({ durability: 'two-regions' });
  },
);

test('accept: a copy in a cluster whose settings are not known is made, and not promised', async () => {
  const { queue, standby } = createQueue('accept');
  isSafe = false;
  expect(standby.isAway).toBe(true);
  expect((await append(queue))!.end).toMatchObject({ durability: 'region' });
  expect(other.written.flat()).toEqual(own.written.flat());
  isSafe = true;
  expect((await append(queue))!.end).toMatchObject({ durability: 'two-regions' });
});

test('refuse: while its settings are not known no vote is let through, not even to try', async () => {
  const { queue } = createQueue('refuse');
  isSafe = false;
  for (let seconds = 0; seconds < 3; seconds += 1) {
    expect(queue.reserve('session')).toBeUndefined();
    await vi.advanceTimersByTimeAsync(1000);
  }
  isSafe = true;
  expect((await append(queue))!.end).toMatchObject({ durability: 'two-regions' });
});

test('refuse: settings found wrong while a copy was under way leave the outcome unknown', async () => {
  const { queue } = createQueue('refuse');
  const appended = append(queue);
  isSafe = false;
  expect((await appended)!.end).toBeInstanceOf(OutcomeUnknownError);
});

test('one dead broker of the other region does not make the region away', async () => {
  const { queue, standby } = createQueue('refuse');
  other.faults = ['not_written'];
  expect((await append(queue))!.end).toMatchObject({ durability: 'two-regions' });
  expect(standby.isAway).toBe(false);
});
