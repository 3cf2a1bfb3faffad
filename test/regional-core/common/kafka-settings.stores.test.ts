import {
  Admin,
  ConfigResourceTypes,
  IncrementalAlterConfigOperationTypes,
} from '@platformatic/kafka';
import { afterAll, expect, test, vi } from 'vitest';
import { sleep } from '#common/clock.ts';
import { topicName } from '#common/contracts/topics.ts';
import { createAdmin } from '#common/kafka.ts';
import { watchKafkaSettings } from '#common/kafka-settings.ts';
import { createLog } from '#common/log.ts';
import { createRegistry } from '#common/metrics.ts';
import { createKafkaGauges } from '#common/safeguard-metrics.ts';
import { createTestTopics } from '../../support/topics.ts';

const log = createLog({ service: 'test' }, 'error', { write: () => {} });
const { prefix, brokers } = await createTestTopics();
const admin = createAdmin({ brokers, clientId: 'test' });
afterAll(() => admin.close());

interface Changes {
  readonly replication?: number;
  readonly brokers?: readonly string[];
  readonly cluster?: 'own' | 'standby';
}

const watch = (changes: Changes = {}) => {
  const metrics = createRegistry({});
  const gauges = createKafkaGauges(metrics);
  const common = { clientId: 'test', topicPrefix: prefix, cluster: 'own', log, gauges } as const;
  return { metrics, ...watchKafkaSettings({ ...common, brokers, replication: 1, ...changes }) };
};

async function until(isSo: () => boolean): Promise<void> {
  const deadline = performance.now() + 12_000;
  while (!isSo() && performance.now() < deadline) await sleep(20);
}

async function set(name: string, value: string): Promise<void> {
  await admin.incrementalAlterConfigs({
    resources: [
      {
        resourceType: ConfigResourceTypes.TOPIC,
        resourceName: topicName(prefix, 'vote-standby'),
        configs: [{ name, value, configOperation: IncrementalAlterConfigOperationTypes.SET }],
      },
    ],
  });
}

test('the topics of this cluster are as declared, with one copy each, and the metric says so', async () => {
  const settings = watch();
  expect(settings.notReady()).toEqual(['the settings of kafka were not read yet']);
  await until(() => settings.notReady().length === 0);
  expect(settings.notReady()).toEqual([]);
  const text = await settings.metrics.metrics();
  expect(text).toMatch(/^kafka_replication_copies\{cluster="own"\} 1$/m);
  expect(text).toMatch(/^kafka_setting_faults\{cluster="own"\} 0$/m);
  await settings.close();
});

test('a setting that was changed is named until it is put back', async () => {
  await set('unclean.leader.election.enable', 'true');
  const settings = watch();
  await until(() => settings.notReady()[0]?.includes('unclean') === true);
  expect(settings.notReady()).toEqual([
    'kafka vote-standby: unclean.leader.election.enable is true, should be false',
  ]);
  await set('unclean.leader.election.enable', 'false');
  await until(() => settings.notReady().length === 0);
  expect(settings.notReady()).toEqual([]);
  await settings.close();
});

test('a cluster of one broker does not pass for one of three copies', async () => {
  const settings = watch({ replication: 3 });
  await until(() => settings.notReady().length === 8);
  expect(settings.notReady()).toContain('kafka vote-submitted: replication is 1, should be 3');
  expect(settings.notReady()).toContain('kafka sessions: min.insync.replicas is 1, should be 2');
  await settings.close();
});

test('a cluster that cannot be asked is not known to be safe', async () => {
  const settings = watch({ brokers: ['127.0.0.1:9'] });
  await sleep(300);
  expect(settings.notReady()).toEqual(['the settings of kafka were not read yet']);
  await settings.close();
});

test('where copies go, only their topic matters, and being away is no fault', async () => {
  const away = watch({ cluster: 'standby', brokers: ['127.0.0.1:9'] });
  await sleep(300);
  expect(away.notReady()).toEqual([]);
  expect(away.areAsDeclared()).toBe(false);
  await away.close();
  const wrong = watch({ cluster: 'standby', replication: 3 });
  await until(() => wrong.notReady().length === 2);
  expect(wrong.notReady()).toEqual([
    'where copies go: kafka vote-standby: replication is 1, should be 3',
    'where copies go: kafka vote-standby: min.insync.replicas is 1, should be 2',
  ]);
  expect(wrong.areAsDeclared()).toBe(false);
  await wrong.close();
});

test('where copies go, a cluster that takes records and forbids to ask is not as declared', async () => {
  const refused = vi.spyOn(Admin.prototype, 'describeConfigs');
  refused.mockRejectedValue(new Error('CLUSTER_AUTHORIZATION_FAILED'));
  const settings = watch({ cluster: 'standby' });
  await vi.waitUntil(() => refused.mock.calls.length > 0, 5000);
  expect(settings.notReady()).toEqual([]);
  expect(settings.areAsDeclared()).toBe(false);
  refused.mockRestore();
  await until(settings.areAsDeclared);
  expect(settings.areAsDeclared()).toBe(true);
  await settings.close();
});
