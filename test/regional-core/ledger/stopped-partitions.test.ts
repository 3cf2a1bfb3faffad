import { expect, test } from 'vitest';
import { createLog } from '#common/log.ts';
import { StoppedPartitions } from '../../../regional-core/ledger/stopped-partitions.ts';
import { ManualClock } from './manual-clock.ts';

/** A worker's reader that holds three partitions. */
function stoppedUnderTest() {
  const clock = new ManualClock(0);
  const lines: string[] = [];
  const gauge: number[] = [];
  const leased = new Map([0, 1, 2].map((partition) => [partition, partition * 100]));
  let read: ReadonlyMap<number, number> = leased;
  const stopped = new StoppedPartitions({
    clock,
    log: createLog({ service: 'test' }, 'error', { write: (line) => void lines.push(line) }),
    metrics: { stopped: (partitions) => void gauge.push(partitions) },
    source: {
      assign: (positions) => {
        read = positions;
      },
      positions: () => read,
    },
  });
  return { clock, lines, gauge, leased, stopped, read: () => [...read] };
}

const broken = new Error('record 107 cannot be read');

test('a partition that is stopped is read no more, and the others go on where they are', () => {
  const { stopped, read, gauge, lines } = stoppedUnderTest();
  expect(stopped.trouble).toBeUndefined();
  stopped.stop(1, broken);
  expect(read()).toEqual([
    [0, 0],
    [2, 200],
  ]);
  expect(stopped.trouble).toBe('partition 1 is stopped: record 107 cannot be read');
  expect(gauge).toEqual([1]);
  expect(JSON.parse(lines[0]!)).toMatchObject({
    partition: 1,
    msg: 'a partition is stopped; a person must look',
  });
});

test('renewing the lease does not start it again before 30 seconds have passed', async () => {
  const { stopped, leased, clock, gauge } = stoppedUnderTest();
  stopped.stop(1, broken);
  await clock.move(29_999);
  expect([...stopped.without(leased).keys()]).toEqual([0, 2]);
  await clock.move(1);
  // At the position that the lease names: no record is skipped.
  expect([...stopped.without(leased)]).toEqual([...leased]);
  expect(stopped.trouble).toBeUndefined();
  expect(gauge).toEqual([1, 1, 0]);
});

test('each stopped partition has a time of its own', async () => {
  const { stopped, leased, clock, gauge } = stoppedUnderTest();
  stopped.stop(1, broken);
  await clock.move(20_000);
  stopped.stop(2, 'no Error, and told all the same');
  expect(gauge).toEqual([1, 2]);
  await clock.move(10_000);
  expect([...stopped.without(leased).keys()]).toEqual([0, 1]);
  expect(stopped.trouble).toBe('partition 2 is stopped: no Error, and told all the same');
});

test('one that was given away is forgotten, and read at once when it comes back', () => {
  const { stopped, leased, gauge } = stoppedUnderTest();
  stopped.stop(1, broken);
  const others = new Map([...leased].filter(([partition]) => partition !== 1));
  expect([...stopped.without(others)]).toEqual([...others]);
  expect(stopped.trouble).toBeUndefined();
  expect([...stopped.without(leased)]).toEqual([...leased]);
  expect(gauge).toEqual([1, 0, 0]);
});
