import { expect, test } from 'vitest';
import { sleep, systemClock } from '#common/clock.ts';
import type { Durability } from '#common/contracts/receipt.ts';
import { createLog } from '#common/log.ts';
import { createRegistry } from '#common/metrics.ts';
import { type Safeguards, watchSafeguards } from '#common/safeguards.ts';
import { createTestTopics } from '../../support/topics.ts';

const log = createLog({ service: 'test' }, 'error', { write: () => {} });
const { prefix, brokers } = await createTestTopics();
const nowhere = ['127.0.0.1:9'];

/** A process that declares three copies unless told otherwise, on a cluster of one broker. */
async function safeguarded(
  durability: Durability,
  changes: {
    readonly own?: readonly string[];
    readonly standby?: readonly string[];
    readonly kafkaReplication?: number;
  },
  act: (safeguards: Safeguards) => Promise<void>,
): Promise<string> {
  const metrics = createRegistry({});
  const config = {
    kafkaBrokers: changes.own ?? brokers,
    topicPrefix: prefix,
    kafkaReplication: changes.kafkaReplication ?? 3,
    clockErrorMs: 5,
    clockBoundFile: undefined,
    clockPeers: [],
    durability,
    ...(changes.standby && { standbyBrokers: changes.standby }),
  };
  const safeguards = watchSafeguards({ config, clock: systemClock, log, metrics }, 'test');
  try {
    await act(safeguards);
    return await metrics.metrics();
  } finally {
    await safeguards.close();
  }
}

async function until(safeguards: Safeguards, sentences: number): Promise<readonly string[]> {
  const deadlineMs = performance.now() + 12_000;
  while (safeguards.notReady().length < sentences && performance.now() < deadlineMs) {
    await sleep(20);
  }
  return safeguards.notReady();
}

const where = 'where copies go: kafka vote-standby';
/** Two for each of the four topics of a region, two for where copies go. */
const [ownFaults, standbyFaults] = [8, 2];

test('with two regions the cluster that takes the copies is held to what is declared, too', async () => {
  const metrics = await safeguarded('two-regions', { standby: brokers }, async (safeguards) => {
    const told = await until(safeguards, ownFaults + standbyFaults);
    expect(told.filter((sentence) => sentence.startsWith(where))).toEqual([
      `${where}: replication is 1, should be 3`,
      `${where}: min.insync.replicas is 1, should be 2`,
    ]);
    expect(told).toHaveLength(ownFaults + standbyFaults);
    expect(safeguards.areCopiesSafe()).toBe(false);
    // Kafka's settings are no reason to doubt the clock.
    expect(safeguards.clockDoubts()).toEqual([]);
  });
  expect(metrics).toMatch(/^kafka_setting_faults\{cluster="standby"\} 2$/m);
});

test('where copies go may be away: the region votes on, held to its own cluster', async () => {
  await safeguarded('two-regions', { standby: nowhere }, async (safeguards) => {
    const told = await until(safeguards, ownFaults);
    expect(told).toHaveLength(ownFaults);
    expect(told.join()).not.toContain('where copies go');
    expect(safeguards.areCopiesSafe()).toBe(false);
  });
});

test('a region of its own does not ask another, though its brokers are known', async () => {
  const metrics = await safeguarded('region', { standby: brokers }, async (safeguards) => {
    await until(safeguards, ownFaults);
    // Both are the same broker here: what one tells, the other would have told by now.
    await sleep(1000);
    expect(safeguards.notReady()).toHaveLength(ownFaults);
    expect(safeguards.areCopiesSafe()).toBe(false);
  });
  expect(metrics).not.toContain('cluster="standby"');
});

test('copies are promised once the other cluster was read and is as declared', async () => {
  const changes = { standby: brokers, kafkaReplication: 1 };
  await safeguarded('two-regions', changes, async (safeguards) => {
    expect(safeguards.areCopiesSafe()).toBe(false);
    const deadlineMs = performance.now() + 12_000;
    while (!safeguards.areCopiesSafe() && performance.now() < deadlineMs) await sleep(20);
    expect(safeguards.areCopiesSafe()).toBe(true);
  });
});

test('until its own cluster was asked a process is not ready, whatever the other one says', async () => {
  const changes = { own: nowhere, standby: brokers };
  await safeguarded('two-regions', changes, async (safeguards) => {
    expect(safeguards.notReady()).toEqual(['the settings of kafka were not read yet']);
    expect(await until(safeguards, 1 + standbyFaults)).toEqual([
      'the settings of kafka were not read yet',
      expect.stringContaining(where),
      expect.stringContaining(where),
    ]);
  });
});
