import { expect, test } from 'vitest';
import { topics } from '#common/contracts/topics.ts';
import type { LiveTopic } from '#common/kafka-live.ts';
import { brokerFaults, checkDurability, topicFaults } from '#common/kafka-settings.ts';

const declared = topics.find(({ name }) => name === 'vote-submitted')!;

function live(change: Partial<LiveTopic> = {}, config: Record<string, string> = {}): LiveTopic {
  const asDeclared = { ...declared.config, 'min.insync.replicas': '2', ...config };
  return { partitions: 30, copies: 3, config: new Map(Object.entries(asDeclared)), ...change };
}

test('a topic as declared has no fault; more partitions and a longer retention are none', () => {
  expect(topicFaults(declared, live(), 3)).toEqual([]);
  expect(topicFaults(declared, live({ partitions: 60 }), 3)).toEqual([]);
  expect(topicFaults(declared, live({}, { 'retention.ms': '-1' }), 3)).toEqual([]);
  expect(topicFaults(declared, live({ copies: 4 }), 3)).toEqual([]);
});

test.each([
  [live({ partitions: 29 }), 'the number of partitions is 29, should be 30'],
  [live({ copies: 2 }), 'replication is 2, should be 3'],
  [live({}, { 'min.insync.replicas': '1' }), 'min.insync.replicas is 1, should be 2'],
  [live({}, { 'min.insync.replicas': '3' }), 'min.insync.replicas is 3, should be 2'],
  [
    live({}, { 'unclean.leader.election.enable': 'true' }),
    'unclean.leader.election.enable is true, should be false',
  ],
  [live({}, { 'retention.ms': '604800000' }), 'retention.ms is 604800000, should be 691200000'],
  [live({}, { 'retention.bytes': '1000000' }), 'retention.bytes is 1000000, should be -1'],
  [live({}, { 'cleanup.policy': 'compact' }), 'cleanup.policy is compact, should be delete'],
])(
  'each wrong setting is one sentence: which, what it is, what it should be (%#)',
  (topic, says) => {
    expect(topicFaults(declared, topic, 3)).toEqual([`kafka vote-submitted: ${says}`]);
  },
);

test('a setting that the cluster does not tell is wrong', () => {
  expect(topicFaults(declared, live({ config: new Map() }), 3)).toHaveLength(5);
  expect(topicFaults(declared, undefined, 3)).toEqual([
    'kafka vote-submitted: the topic does not exist',
  ]);
});

test('one copy is right where one is declared, and then no more than one', () => {
  const single = { 'min.insync.replicas': '1' };
  expect(topicFaults(declared, live({ copies: 1 }, single), 1)).toEqual([]);
  expect(topicFaults(declared, live({ copies: 3 }, single), 1)).toEqual([
    'kafka vote-submitted: replication is 3, should be 1',
  ]);
});

test('a broker that makes topics by itself, or lets everybody in, is wrong', () => {
  const faults = (config: Record<string, string>) =>
    brokerFaults({ id: 2, config: new Map(Object.entries(config)) });
  expect(faults({ 'auto.create.topics.enable': 'false' })).toEqual([]);
  expect(faults({ 'auto.create.topics.enable': 'true' })).toEqual([
    'kafka broker 2: auto.create.topics.enable is true, should be false',
  ]);
  const open = { 'allow.everyone.if.no.acl.found': 'true' };
  expect(faults(open)).toEqual([]);
  expect(faults({ ...open, 'authorizer.class.name': 'StandardAuthorizer' })).toEqual([
    'kafka broker 2: allow.everyone.if.no.acl.found is true, should be false',
  ]);
});

test('the receipt says "single" exactly where one copy is declared', () => {
  for (const [durability, replication] of [
    ['single', 1],
    ['region', 3],
    ['two-regions', 1],
    ['two-regions', 3],
  ] as const) {
    expect(() => checkDurability(durability, replication)).not.toThrow();
  }
  expect(() => checkDurability('region', 1)).toThrow(
    'VOTE_DURABILITY=region contradicts VOTE_KAFKA_REPLICATION=1',
  );
  expect(() => checkDurability('single', 3)).toThrow(
    'VOTE_DURABILITY=single contradicts VOTE_KAFKA_REPLICATION=3',
  );
});
