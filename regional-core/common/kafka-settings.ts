import { MINUTE_MS, sleep } from './clock.ts';
import type { Durability } from './contracts/receipt.ts';
import {
  minInSyncReplicas,
  type TopicDeclaration,
  type TopicName,
  topicName,
  topics,
} from './contracts/topics.ts';
import { createAdmin, type KafkaOptions } from './kafka.ts';
import { type LiveBroker, type LiveTopic, readLiveCluster } from './kafka-live.ts';
import type { Log } from './log.ts';
import type { KafkaGauges } from './safeguard-metrics.ts';

/**
 * "Acknowledged" means durable only with the right settings, and they can be changed under a
 * running system (a managed cluster even starts with wrong ones: unclean leader election on). So
 * they are read back from the live cluster at start and each hour and held against what is
 * declared: `contracts/topics.ts` and the number of copies. While one is wrong, the process is not
 * ready. A cluster that cannot be asked keeps the last verdict.
 */
export interface KafkaSettings {
  /** A sentence for each setting that is wrong, and one while nothing could be read yet. */
  readonly notReady: () => readonly string[];
  /** True once they were read, and none was wrong when they last were. */
  readonly areAsDeclared: () => boolean;
  readonly close: () => Promise<void>;
}

/** Those that hold votes, results, and what everybody must know; `vote-context` may be lost. */
const checkedTopics: Readonly<Record<Cluster, readonly TopicName[]>> = {
  own: ['vote-submitted', 'vote-standby', 'vote-aggregated', 'sessions'],
  standby: ['vote-standby'],
};

/** The region's own Kafka, or the other region's, which takes copies of its votes. */
type Cluster = 'own' | 'standby';

const recheckMs = 60 * MINUTE_MS;
/** While something is wrong somebody is mending it; while nothing is known, Kafka is starting. */
const faultyRecheckMs = 5000;
const unknownRecheckMs = 2000;

const setting = (
  where: string,
  name: string,
  is: string | number | undefined,
  shouldBe: string | number,
): string => `kafka ${where}: ${name} is ${is ?? 'not known'}, should be ${shouldBe}`;

/**
 * What is wrong with a topic, a sentence a setting. More partitions than declared are no fault: a
 * log may grow, never shrink; nor is a longer retention.
 */
export function topicFaults(
  declared: TopicDeclaration,
  live: LiveTopic | undefined,
  replication: number,
): string[] {
  if (live === undefined) return [`kafka ${declared.name}: the topic does not exist`];
  const faults: string[] = [];
  const check = (name: string, is: string | number | undefined, shouldBe: string | number) => {
    if (String(is) !== String(shouldBe)) faults.push(setting(declared.name, name, is, shouldBe));
  };
  if (live.partitions < declared.partitions) {
    check('the number of partitions', live.partitions, declared.partitions);
  }
  // While partitions move, some have a copy more for a while; one broker never has.
  if (live.copies < replication || replication === 1)
    check('replication', live.copies, replication);
  check(
    'min.insync.replicas',
    live.config.get('min.insync.replicas'),
    minInSyncReplicas(replication),
  );
  for (const [name, shouldBe] of Object.entries(declared.config)) {
    const is = live.config.get(name);
    if (name === 'retention.ms' && isAtLeast(is, shouldBe)) continue;
    if (promised.has(name)) check(name, is, shouldBe);
  }
  return faults;
}

/** The declared settings that durability hangs on; the others are a matter of speed. */
const promised = new Set([
  'cleanup.policy',
  'retention.ms',
  'retention.bytes',
  'unclean.leader.election.enable',
]);

/** −1 is for ever. */
function isAtLeast(is: string | undefined, least: string): boolean {
  return is === '-1' || Number(is) >= Number(least);
}

/**
 * What is wrong with a broker: a topic that comes into being by itself has one copy, and an
 * authorizer that lets everybody in where no rule stands is none.
 */
export function brokerFaults({ id, config }: LiveBroker): string[] {
  const mustBeFalse = ['auto.create.topics.enable', 'unclean.leader.election.enable'];
  if (config.get('authorizer.class.name')) mustBeFalse.push('allow.everyone.if.no.acl.found');
  return mustBeFalse
    .filter((name) => (config.get(name) ?? 'false') !== 'false')
    .map((name) => setting(`broker ${id}`, name, config.get(name), 'false'));
}

/**
 * A receipt says `single` exactly where a record has one copy. Throws when the two keys contradict
 * each other; copies in two regions may be single ones in each.
 */
export function checkDurability(durability: Durability, replication: number): void {
  if (durability === 'two-regions' || (durability === 'single') === (replication === 1)) return;
  throw new Error(
    `VOTE_DURABILITY=${durability} contradicts VOTE_KAFKA_REPLICATION=${replication}: ` +
      'it is "single" exactly where there is one copy',
  );
}

/**
 * One that takes copies and cannot be asked is no fault: what is done then was chosen elsewhere.
 * But it may take records and not tell its settings (a rule that forbids to ask), so no copy in it
 * is promised before `areAsDeclared`.
 *
 * @param options.replication copies each record has: 1 on one machine (declared, shown, and said by
 * the receipt), 3 in a region
 */
export function watchKafkaSettings(
  options: KafkaOptions & {
    readonly topicPrefix: string;
    readonly replication: number;
    readonly cluster: Cluster;
    readonly log: Log;
    readonly gauges: KafkaGauges;
  },
): KafkaSettings {
  const { log, topicPrefix, replication, cluster, gauges } = options;
  const declared = topics.filter(({ name }) => checkedTopics[cluster].includes(name));
  const admin = createAdmin(options);
  const closing = new AbortController();
  let faults: readonly string[] | undefined;

  const check = async (): Promise<void> => {
    const names = declared.map(({ name }) => topicName(topicPrefix, name));
    const live = await readLiveCluster(admin, names);
    const found = [
      ...declared.flatMap((topic, at) =>
        topicFaults(topic, live.topics.get(names[at]!), replication),
      ),
      ...live.brokers.flatMap(brokerFaults),
    ];
    const copies = [...live.topics.values()].map((topic) => topic.copies);
    gauges(cluster, Math.min(replication, ...copies), found.length);
    if (found.join() !== faults?.join()) {
      if (found.length > 0) log.error({ cluster, faults: found }, 'kafka is not set as declared');
      else log.info({ cluster, replication }, 'kafka is set as declared');
    }
    faults = found;
  };
  const run = async (): Promise<void> => {
    while (!closing.signal.aborted) {
      try {
        await check();
      } catch (error) {
        log.debug({ err: error }, 'the settings of kafka could not be read');
      }
      const soonMs = faults === undefined ? unknownRecheckMs : faultyRecheckMs;
      await sleep(faults?.length === 0 ? recheckMs : soonMs, closing.signal);
    }
  };
  const running = run();
  return {
    notReady: () => {
      if (cluster === 'own') return faults ?? ['the settings of kafka were not read yet'];
      return (faults ?? []).map((fault) => `where copies go: ${fault}`);
    },
    areAsDeclared: () => faults?.length === 0,
    close: async () => {
      closing.abort();
      await admin.close();
      await running;
    },
  };
}
