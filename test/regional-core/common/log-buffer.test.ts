import { expect, test } from 'vitest';
import { EpochHistory } from '#common/epoch-history.ts';
import { LogBuffer } from '#common/log-buffer.ts';

const value = Buffer.from('x');

/** A batch of `count` records from `first`, written under a leader epoch. */
function batch(first: number, count: number, partitionLeaderEpoch = 0, size = 1) {
  return {
    firstOffset: BigInt(first),
    lastOffsetDelta: count - 1,
    partitionLeaderEpoch,
    records: Array.from({ length: count }, (_, offsetDelta) => ({
      offsetDelta,
      key: null,
      value: size === 1 ? value : Buffer.alloc(size),
    })),
  };
}

const offsets = (buffer: LogBuffer, max = 1000): number[] =>
  buffer.take(max).flatMap(({ records }) => records.map(({ offset }) => offset));

test('hands out what came, from the offset asked for, in the pieces asked for', () => {
  const buffer = new LogBuffer();
  buffer.start(3, 12);
  buffer.add(3, batch(10, 5));
  expect(buffer.take(2)).toMatchObject([{ partition: 3, from: 12, next: 14 }]);
  expect(buffer.positions()).toEqual(new Map([[3, 14]]));
  expect(buffer.take(2)).toMatchObject([{ from: 14, next: 15 }]);
  expect(buffer.take(2)).toEqual([]);
  expect(buffer.wanted(3)).toEqual({ offset: 15, epochBefore: 0 });
});

test('an answer about a place that was left is not expected any more', () => {
  const buffer = new LogBuffer();
  buffer.start(0, 10);
  expect(buffer.expects(0, 10)).toBe(true);
  buffer.start(0, 4);
  expect(buffer.expects(0, 10)).toBe(false);
  buffer.drop(0);
  expect(buffer.expects(0, 4)).toBe(false);
  buffer.add(0, batch(4, 1));
  expect(buffer.hasNews()).toBe(false);
});

test('a partition in trouble says so before anything of another is cut, and until it is moved', () => {
  const buffer = new LogBuffer();
  buffer.start(0, 0);
  buffer.start(1, 0);
  buffer.add(0, batch(0, 2));
  buffer.fail(1, new Error('partition 1 is gone'));
  expect(buffer.wanted(1)).toBeUndefined();
  expect(() => buffer.take(10)).toThrow('partition 1 is gone');
  buffer.start(1, 7);
  expect(offsets(buffer)).toEqual([0, 1]);
});

test('is full past 16 MB, and not any more once that was taken or dropped', () => {
  const buffer = new LogBuffer();
  const fill = (partition: number): void => {
    buffer.start(partition, 0);
    for (let at = 0; at < 17; at++) buffer.add(partition, batch(at, 1, 0, 1024 * 1024));
  };
  fill(0);
  expect(buffer.isFull).toBe(true);
  buffer.take(17);
  expect(buffer.isFull).toBe(false);
  fill(1);
  buffer.drop(1);
  expect(buffer.isFull).toBe(false);
});

test('caught up is: every end is known and everything before it was taken', () => {
  const buffer = new LogBuffer();
  buffer.start(0, 0);
  expect(buffer.isTaken()).toBe(false);
  buffer.heardEnd(0, 2, 1);
  buffer.add(0, batch(0, 2));
  expect(buffer.isTaken()).toBe(false);
  buffer.take(10);
  expect(buffer.isTaken()).toBe(true);
});

test('ends are known as of the oldest question about one of them, however late its answer', () => {
  const buffer = new LogBuffer();
  expect(buffer.endsKnownAtMs).toBe(Number.NEGATIVE_INFINITY);
  buffer.start(0, 0);
  buffer.start(1, 0);
  buffer.heardEnd(0, 2, 50);
  expect(buffer.endsKnownAtMs).toBe(Number.NEGATIVE_INFINITY);
  buffer.heardEnd(1, 2, 40);
  expect(buffer.endsKnownAtMs).toBe(40);
  buffer.heardEnd(1, 2, 60);
  expect(buffer.endsKnownAtMs).toBe(50);
});

test('what was read under which epoch is known after the partition was given away and back', () => {
  const buffer = new LogBuffer();
  buffer.start(0, 5);
  expect(buffer.wanted(0)).toEqual({ offset: 5, epochBefore: -1 });
  buffer.add(0, batch(5, 5, 3));
  buffer.add(0, batch(10, 5, 4));
  buffer.drop(0);
  buffer.start(0, 10);
  expect(buffer.wanted(0)).toEqual({ offset: 10, epochBefore: 3 });
  buffer.start(0, 11);
  expect(buffer.wanted(0)).toEqual({ offset: 11, epochBefore: 4 });
  buffer.start(0, 15);
  expect(buffer.wanted(0)).toEqual({ offset: 15, epochBefore: 4 });
  buffer.start(0, 16);
  expect(buffer.wanted(0)).toEqual({ offset: 16, epochBefore: -1 });
});

test('the epochs of a stretch that was read again are those of the second time', () => {
  const epochs = new EpochHistory();
  epochs.note(0, 10, 1);
  epochs.note(10, 20, 2);
  epochs.note(5, 15, 7);
  expect([epochs.before(5), epochs.before(6), epochs.before(15)]).toEqual([1, 7, 7]);
  expect(epochs.before(16)).toBe(-1);
});

test('behind a stretch that was not read nothing is claimed about it', () => {
  const epochs = new EpochHistory();
  epochs.note(0, 10, 1);
  epochs.note(500, 510, 2);
  expect([epochs.before(10), epochs.before(300), epochs.before(500)]).toEqual([-1, -1, -1]);
  expect(epochs.before(501)).toBe(2);
});

test('a partition that changed its leader 10,000 times is remembered no longer than 150', () => {
  const epochs = new EpochHistory();
  for (let at = 0; at < 10_000; at++) epochs.note(at, at + 1, at);
  expect(epochs.before(10_000)).toBe(9999);
  expect(epochs.before(10_000 - 149)).toBe(9850);
  expect(epochs.before(10_000 - 150)).toBe(-1);
});
