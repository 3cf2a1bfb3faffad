import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { systemClock } from '#common/clock.ts';
import { OutcomeUnknownError } from '../../../regional-core/intake/batch-sender.ts';
import {
  batchesMax,
  batchRecordsMax,
  NotSentError,
  ProduceQueue,
  produceDeadlineMs,
  queueRecordsMax,
} from '../../../regional-core/intake/produce-queue.ts';
import type { OutgoingRecord } from '../../../regional-core/intake/vote-log.ts';
import { MemoryVoteLog } from '../../support/memory-vote-log.ts';

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

/** Every append is carried out and answered, but only after so long. */
function makeSlow(log: MemoryVoteLog, slowMs: number): { begun: number[] } {
  const append = log.append.bind(log);
  const begun: number[] = [];
  log.append = async (partition, records) => {
    begun.push(records.length);
    await new Promise((resolve) => setTimeout(resolve, slowMs));
    return append(partition, records);
  };
  return { begun };
}

const clock = { ...systemClock, monotonicMs: () => Date.now() };
const append = (queue: ProduceQueue, sent: OutgoingRecord) =>
  queue.reserve('session')!.append(sent);
const record = (text: string) => ({ key: Buffer.from('session'), value: Buffer.from(text) });

function createQueue(log: MemoryVoteLog) {
  const outcomes: string[] = [];
  const queue = new ProduceQueue({
    log,
    clock,
    durability: 'region',
    observer: { attempted: (outcome) => outcomes.push(outcome) },
  });
  return { queue, outcomes };
}

test('what comes within the linger goes to one partition in one append, each with its own offset', async () => {
  const log = new MemoryVoteLog([1, 2, 3]);
  const { queue } = createQueue(log);
  const places = Promise.all(['a', 'b', 'c'].map((text) => append(queue, record(text))));
  await vi.advanceTimersByTimeAsync(5);
  const given = await places;
  expect(log.appends).toEqual([{ partition: given[0]!.partition, records: 3 }]);
  expect(given.map(({ offset }) => offset)).toEqual([0, 1, 2]);
  const next = append(queue, record('d'));
  await vi.advanceTimersByTimeAsync(5);
  expect((await next).partition).not.toBe(given[0]!.partition);
});

test('a full batch does not wait for the linger', async () => {
  const log = new MemoryVoteLog([1]);
  const { queue } = createQueue(log);
  const places = Array.from({ length: batchRecordsMax }, () => append(queue, record('x')));
  await vi.advanceTimersByTimeAsync(0);
  expect(log.appends).toEqual([{ partition: 0, records: batchRecordsMax }]);
  await Promise.all(places);
  expect(queue.held).toBe(0);
});

test('after 400 ms without an answer the same records go to a partition of another leader', async () => {
  const log = new MemoryVoteLog([1, 1, 2]);
  log.faults = ['written_unanswered'];
  const { queue, outcomes } = createQueue(log);
  const place = append(queue, record('vote'));
  await vi.advanceTimersByTimeAsync(5 + 400 + 25);
  expect(await place).toEqual({ partition: 2, offset: 0, durability: 'region' });
  expect(outcomes).toEqual(['failed', 'ok']);
  // The record lies in the log twice: that is a replay for the ledger, never a loss.
  expect(log.written.flat()).toHaveLength(2);
});

test('after two seconds the outcome is unknown, and room is made again', async () => {
  const log = new MemoryVoteLog([1, 2]);
  log.faults = Array.from({ length: 100 }, () => 'not_written');
  const { queue } = createQueue(log);
  const place = append(queue, record('vote')).catch((error: unknown) => error);
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
  const place = append(queue, record('vote')).catch((error: unknown) => error);
  await vi.advanceTimersByTimeAsync(3000);
  expect(await place).toBeInstanceOf(OutcomeUnknownError);
  expect(log.appends.length).toBeLessThan(100);
});

test('waits for a leader while there is none, and sends when there is one', async () => {
  const log = new MemoryVoteLog([-1]);
  const { queue } = createQueue(log);
  const place = append(queue, record('vote'));
  await vi.advanceTimersByTimeAsync(500);
  expect(log.appends).toEqual([]);
  log.layout = [{ partition: 0, leader: 1 }];
  await vi.advanceTimersByTimeAsync(100);
  expect(await place).toMatchObject({ partition: 0, offset: 0 });
});

test('says that it has no room before anything is claimed', async () => {
  const log = new MemoryVoteLog([1]);
  log.faults = Array.from({ length: 1000 }, () => 'not_written');
  const { queue } = createQueue(log);
  const held = Array.from({ length: queueRecordsMax }, () =>
    append(queue, record('x')).catch(() => undefined),
  );
  expect(queue.reserve('session')).toBeUndefined();
  await vi.advanceTimersByTimeAsync(produceDeadlineMs + 500);
  await Promise.all(held);
  expect(queue.reserve('session')).toBeDefined();
});

test('a drain answers everything that was taken in', async () => {
  const log = new MemoryVoteLog([1]);
  const { queue } = createQueue(log);
  const place = append(queue, record('last'));
  const idle = queue.idle();
  await vi.advanceTimersByTimeAsync(10);
  await idle;
  expect(await place).toMatchObject({ partition: 0, offset: 0 });
});

test('the only broker, being slow, is not given the same records again, and its late answer is good', async () => {
  const log = new MemoryVoteLog([1, 1]);
  const { begun } = makeSlow(log, 1500);
  const { queue } = createQueue(log);
  const place = append(queue, record('vote'));
  await vi.advanceTimersByTimeAsync(1600);
  expect((await place).offset).toBe(0);
  expect(begun).toEqual([1]);
});

test('while Kafka is slow, votes gather into few large batches', async () => {
  const log = new MemoryVoteLog([1]);
  const { begun } = makeSlow(log, 300);
  const { queue } = createQueue(log);
  const places: Promise<unknown>[] = [];
  for (let ms = 0; ms < 300; ms += 1) {
    places.push(append(queue, record('vote')));
    await vi.advanceTimersByTimeAsync(1);
  }
  expect(begun).toHaveLength(batchesMax);
  await vi.advanceTimersByTimeAsync(700);
  await Promise.all(places);
  expect(begun.length).toBeLessThan(batchesMax + 3);
  expect(queue.held).toBe(0);
});

test('a vote that waited too long for its turn was never sent, and says so', async () => {
  const log = new MemoryVoteLog([1]);
  log.faults = Array.from({ length: batchesMax }, () => 'not_written');
  const { queue } = createQueue(log);
  const stuck = Array.from({ length: batchesMax * batchRecordsMax }, () =>
    append(queue, record('stuck')).catch((error: unknown) => error),
  );
  await vi.advanceTimersByTimeAsync(5);
  const waiting = append(queue, record('waiting')).catch((error: unknown) => error);
  await vi.advanceTimersByTimeAsync(produceDeadlineMs);
  expect(await stuck[0]).toBeInstanceOf(OutcomeUnknownError);
  expect(await waiting).toBeInstanceOf(NotSentError);
  expect(queue.held).toBe(0);
});

test('a place that was used is not given back a second time', async () => {
  const { queue } = createQueue(new MemoryVoteLog([1]));
  const [used, other] = [queue.reserve('session')!, queue.reserve('session')!];
  const sent = used.append(record('a'));
  await vi.advanceTimersByTimeAsync(5);
  await sent;
  used.release();
  expect(queue.held).toBe(1);
  other.release();
  other.release();
  expect(queue.held).toBe(0);
});
