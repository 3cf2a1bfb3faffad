import { randomUUID } from 'node:crypto';
import { expect, test } from 'vitest';
import { decodeSeal } from '#common/contracts/seal.ts';
import { createLog } from '#common/log.ts';
import { uuidFromBytes } from '#common/uuid.ts';
import { Sealer } from '../../../regional-core/ledger/sealer.ts';
import { createSigningKey } from '../../support/votes.ts';
import { ManualClock } from './manual-clock.ts';

const closesAtMs = 1_800_000_000_000;
const key = createSigningKey();

/**
 * An intake whose clock is wrong by the most allowed, 50 ms, answers until it shows closing + 5 s +
 * 50 ms, when it may be closing + 5 s + 100 ms.
 */
const lastAnswerMs = closesAtMs + 5000 + 100;

/** A sealer of two partitions of two logs; the store says what is unsealed, `written` what came. */
function sealerUnderTest({ isStandbyRead = false, clockErrorMs = 5 } = {}) {
  const clock = new ManualClock(lastAnswerMs + clockErrorMs);
  const session = { sessionId: randomUUID(), version: 2, closesAtMs };
  const written: { log: string; partition: number }[] = [];
  const asked: number[] = [];
  const state = {
    held: [0, 1] as number[],
    ownSize: 2,
    standbySize: 2,
    failing: '',
    failAt: -1,
    doubts: [] as string[],
    keyKept: 0,
    isKnown: true,
  };
  const identity = { regionNo: 1, clusterId: 'cluster', topicId: randomUUID() };
  const log = (name: string, isRead: boolean, size: () => number) => ({
    name,
    identity: () => (state.isKnown ? identity : undefined),
    size,
    append: (partition: number, sessionKey: Buffer, value: Buffer) => {
      if (name === state.failing) return Promise.reject(new Error('no leader'));
      if (written.length === state.failAt) {
        state.failAt = -1;
        return Promise.reject(new Error('kafka is away'));
      }
      const seal = decodeSeal(uuidFromBytes(sessionKey), value)!;
      expect(seal).toMatchObject({ log: name, partition, closesAtMs, sessionVersion: 2 });
      written.push({ log: name, partition });
      return Promise.resolve();
    },
    isRead: () => isRead,
  });
  const sealer = new Sealer({
    store: {
      unsealed: (_log, partitions, closedForMs) => {
        asked.push(closedForMs);
        return Promise.resolve(partitions.length === 0 ? [] : [{ ...session, partitions }]);
      },
    },
    logs: [
      log('us-east-1', true, () => state.ownSize),
      log('us-west-2@us-east-1', isStandbyRead, () => state.standbySize),
    ],
    held: () => state.held,
    ownSize: () => state.ownSize,
    key,
    keepKey: () => {
      state.keyKept++;
      return Promise.resolve();
    },
    clock,
    clockErrorMs: () => clockErrorMs,
    clockDoubts: () => state.doubts,
    log: createLog({ service: 'test' }, 'error'),
    metrics: { sealed: () => undefined },
  });
  return { sealer, clock, written, asked, state };
}

test('seals each partition of the own log and of the standby, once', async () => {
  const { sealer, written, asked } = sealerUnderTest();
  await sealer.sealDue();
  await sealer.sealDue();
  expect(written).toEqual([
    { log: 'us-east-1', partition: 0 },
    { log: 'us-east-1', partition: 1 },
    { log: 'us-west-2@us-east-1', partition: 0 },
    { log: 'us-west-2@us-east-1', partition: 1 },
  ]);
  expect(new Set(asked)).toEqual(new Set([5105]));
});

test('not before this clock, too, is past the last answer of the worst clock', async () => {
  const { sealer, clock, written } = sealerUnderTest();
  await clock.move(-1);
  await sealer.sealDue();
  expect(written).toEqual([]);
  await clock.move(1);
  await sealer.sealDue();
  expect(written).toHaveLength(4);
});

test('a clock that is not to be trusted seals nothing', async () => {
  const { sealer, written, state } = sealerUnderTest();
  state.doubts = ['the clock is off'];
  await sealer.sealDue();
  expect(written).toEqual([]);
});

test('a writer that holds nothing does nothing', async () => {
  const { sealer, written, state } = sealerUnderTest();
  state.held = [];
  await sealer.sealDue();
  expect(written).toEqual([]);
});

test('a standby with more partitions than the own log is sealed whole by its holders', async () => {
  const { sealer, written, state } = sealerUnderTest();
  state.standbySize = 5;
  const sealed = () =>
    written.filter(({ log }) => log !== 'us-east-1').map(({ partition }) => partition);
  state.held = [1];
  await sealer.sealDue();
  expect(sealed()).toEqual([1, 3]);
  state.held = [0];
  await sealer.sealDue();
  expect(sealed()).toEqual([1, 3, 0, 2, 4]);
});

test('a standby with fewer partitions gets no seal where it has none', async () => {
  const { sealer, written, state } = sealerUnderTest();
  state.standbySize = 1;
  await sealer.sealDue();
  expect(written.filter(({ log }) => log !== 'us-east-1')).toEqual([
    { log: 'us-west-2@us-east-1', partition: 0 },
  ]);
});

test('a log that cannot be sealed keeps no other from it', async () => {
  const { sealer, written, state } = sealerUnderTest();
  state.failing = 'us-east-1';
  await expect(sealer.sealDue()).rejects.toThrow('no leader');
  expect(written).toHaveLength(2);
});

test('the key is made known before each round of seals', async () => {
  const { sealer, state } = sealerUnderTest();
  await sealer.sealDue();
  expect(state.keyKept).toBe(2);
  await sealer.sealDue();
  expect(state.keyKept).toBe(4);
});

test('a log that the store does not know yet is not sealed', async () => {
  const { sealer, written, state } = sealerUnderTest();
  state.isKnown = false;
  await sealer.sealDue();
  expect(written).toEqual([]);
});

test('one that fails half way goes on where it failed', async () => {
  const { sealer, written, state } = sealerUnderTest();
  state.failAt = 1;
  await expect(sealer.sealDue()).rejects.toThrow('kafka is away');
  await sealer.sealDue();
  expect(written).toHaveLength(4);
  expect(new Set(written.map(({ log, partition }) => `${log}/${partition}`)).size).toBe(4);
});

test('a seal that is not read within 30 s is written again; a standby that is not read, not', async () => {
  const { sealer, clock, written } = sealerUnderTest();
  await sealer.sealDue();
  await clock.move(29_999);
  await sealer.sealDue();
  expect(written).toHaveLength(4);
  await clock.move(1);
  await sealer.sealDue();
  expect(written.slice(4)).toEqual([
    { log: 'us-east-1', partition: 0 },
    { log: 'us-east-1', partition: 1 },
  ]);
});
