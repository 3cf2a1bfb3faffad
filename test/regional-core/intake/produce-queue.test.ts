import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import {
  batchRecordsMax,
  OutcomeUnknownError,
  ProduceQueue,
  produceDeadlineMs,
  queueRecordsMax,
} from '../../../regional-core/intake/produce-queue.ts';
import { MemoryVoteLog } from '../../support/memory-vote-log.ts';

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

const clock = { now: () => Date.now(), monotonicMs: () => Date.now() };
const record = (text: string) => ({ key: Buffer.from('session'), value: Buffer.from(text) });

function createQueue(log: MemoryVoteLog) {
  const outcomes: string[] = [];
  const queue = new ProduceQueue(log, clock, { attempted: (outcome) => outcomes.push(outcome) });
  return { queue, outcomes };
}

test('what comes within the linger goes to one partition in one append, each with its own offset', async () => {
  const log = new MemoryVoteLog([1, 2, 3]);
  const { queue } = createQueue(log);
  const places = Promise.all(['a', 'b', 'c'].map((text) => queue.append(record(text))));
  await vi.advanceTimersByTimeAsync(5);
  const given = await places;
  expect(log.appends).toEqual([{ partition: given[0]!.partition, records: 3 }]);
  expect(given.map(({ offset }) => offset)).toEqual([0, 1, 2]);
  const next = queue.append(record('d'));
  await vi.advanceTimersByTimeAsync(5);
  expect((await next).partition).not.toBe(given[0]!.partition);
});

test('a full batch does not wait for the linger', async () => {
  const log = new MemoryVoteLog([1]);
  const { queue } = createQueue(log);
  const places = Array.from({ length: batchRecordsMax }, () => queue.append(record('x')));
  await vi.advanceTimersByTimeAsync(0);
  expect(log.appends).toEqual([{ partition: 0, records: batchRecordsMax }]);
  await Promise.all(places);
  expect(queue.held).toBe(0);
});

test('after 400 ms without an answer the same records go to a partition of another leader', async () => {
  const log = new MemoryVoteLog([1, 1, 2]);
  log.faults = ['written_unanswered'];
  const { queue, outcomes } = createQueue(log);
  const place = queue.append(record('vote'));
  await vi.advanceTimersByTimeAsync(5 + 400 + 25);
  expect(await place).toEqual({ partition: 2, offset: 0 });
  expect(outcomes).toEqual(['failed', 'ok']);
  // The record lies in the log twice: that is a replay for the ledger, never a loss.
  expect(log.written.flat()).toHaveLength(2);
});

test('after two seconds the outcome is unknown, and room is made again', async () => {
  const log = new MemoryVoteLog([1, 2]);
  log.faults = Array.from({ length: 100 }, () => 'not_written');
  const { queue } = createQueue(log);
  const place = queue.append(record('vote')).catch((error: unknown) => error);
  await vi.advanceTimersByTimeAsync(produceDeadlineMs - 100);
  expect(queue.held).toBe(1);
  await vi.advanceTimersByTimeAsync(600);
  expect(await place).toBeInstanceOf(OutcomeUnknownError);
  expect(queue.held).toBe(0);
});

test('a broker that refuses at once is not asked thousands of times', async () => {
  const log = new MemoryVoteLog([1]);
  log.faults = Array.from({ length: 10_000 }, () => 'refused');
  const { queue } = createQueue(log);
  const place = queue.append(record('vote')).catch((error: unknown) => error);
  await vi.advanceTimersByTimeAsync(3000);
  expect(await place).toBeInstanceOf(OutcomeUnknownError);
  expect(log.appends.length).toBeLessThan(100);
});

test('waits for a leader while there is none, and sends when there is one', async () => {
  const log = new MemoryVoteLog([-1]);
  const { queue } = createQueue(log);
  const place = queue.append(record('vote'));
  await vi.advanceTimersByTimeAsync(500);
  expect(log.appends).toEqual([]);
  log.layout = [{ partition: 0, leader: 1 }];
  await vi.advanceTimersByTimeAsync(100);
  expect(await place).toEqual({ partition: 0, offset: 0 });
});

test('says that it has no room before anything is claimed', async () => {
  const log = new MemoryVoteLog([1]);
  log.faults = Array.from({ length: 1000 }, () => 'not_written');
  const { queue } = createQueue(log);
  const held = Array.from({ length: queueRecordsMax }, () =>
    queue.append(record('x')).catch(() => undefined),
  );
  expect(queue.hasRoom()).toBe(false);
  await vi.advanceTimersByTimeAsync(produceDeadlineMs + 500);
  await Promise.all(held);
  expect(queue.hasRoom()).toBe(true);
});

test('a drain answers everything that was taken in', async () => {
  const log = new MemoryVoteLog([1]);
  const { queue } = createQueue(log);
  const place = queue.append(record('last'));
  const idle = queue.idle();
  await vi.advanceTimersByTimeAsync(10);
  await idle;
  expect(await place).toEqual({ partition: 0, offset: 0 });
});
