import { randomUUID } from 'node:crypto';
import { expect, test } from 'vitest';
import { decodeSeal } from '#common/contracts/seal.ts';
import { createLog } from '#common/log.ts';
import { uuidFromBytes } from '#common/uuid.ts';
import type { UnsealedSession } from '../../../regional-core/ledger/ledger-store.ts';
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
  const session: UnsealedSession = {
    sessionId: randomUUID(),
    version: 2,
    closesAtMs,
    partitions: [0, 1],
  };
  const written: { log: string; partition: number }[] = [];
  const asked: number[] = [];
  const settled: string[] = [];
  const state = { held: [0, 1] as number[], failAt: -1, doubts: [] as string[], session };
  const log = (name: string, isRead: boolean) => ({
    name,
    identity: { regionNo: 1, clusterId: 'cluster', topicId: randomUUID() },
    append: (partition: number, sessionKey: Buffer, value: Buffer) => {
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
      unsealed: (_log, _partitions, closedForMs) => {
        asked.push(closedForMs);
        return Promise.resolve([state.session]);
      },
      settle: () => {
        settled.push('asked');
        return Promise.resolve([]);
      },
    },
    logs: [log('us-east-1', true), log('us-west-2@us-east-1', isStandbyRead)],
    held: () => state.held,
    key,
    clock,
    clockErrorMs: () => clockErrorMs,
    clockDoubts: () => state.doubts,
    log: createLog({ service: 'test' }, 'error'),
    metrics: { sealed: () => undefined, settled: () => undefined },
  });
  return { sealer, clock, written, asked, settled, state };
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

test('a clock that is not to be trusted seals nothing, and what is sealed is settled', async () => {
  const { sealer, written, settled, state } = sealerUnderTest();
  state.doubts = ['the clock is off'];
  await sealer.sealDue();
  expect([written.length, settled.length]).toEqual([0, 1]);
});

test('a writer that holds nothing does nothing', async () => {
  const { sealer, written, settled, state } = sealerUnderTest();
  state.held = [];
  await sealer.sealDue();
  expect([written.length, settled.length]).toEqual([0, 0]);
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
