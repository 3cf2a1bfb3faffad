import type { Clock } from './clock.ts';
import { watchClock } from './clock-check.ts';
import { httpPeer, redisPeer } from './clock-peer.ts';
import type { Durability } from './contracts/receipt.ts';
import { watchKafkaSettings } from './kafka-settings.ts';
import type { Log } from './log.ts';
import type { Registry } from './metrics.ts';
import type { Redis } from './redis.ts';
import { watchRedisPolicy } from './redis-policy.ts';
import { createKafkaGauges } from './safeguard-metrics.ts';

/**
 * What must be true around a process whose word counts (intake promises, the ledger counts), and is
 * not in its own hands: Kafka set as declared, a clock that can be trusted, a Redis that does not
 * forget silently.
 */
export interface Safeguards {
  /** How far the wall clock may be off now, ms. */
  readonly clockErrorMs: () => number;
  /** Why the clock must not decide anything now. */
  readonly clockDoubts: () => readonly string[];
  /** All that is not as it must be, a sentence each; the clock's doubts among them. */
  readonly notReady: () => readonly string[];
  /** Whether a copy in the other region is worth what is declared. False where none go. */
  readonly areCopiesSafe: () => boolean;
  readonly close: () => Promise<void>;
}

interface SafeguardConfig {
  readonly kafkaBrokers: readonly string[];
  readonly topicPrefix: string;
  readonly kafkaReplication: number;
  readonly clockErrorMs: number;
  readonly clockBoundFile: string | undefined;
  readonly clockPeers: readonly string[];
  /** Where copies go in another region, if they do. */
  readonly standbyBrokers?: readonly string[];
  readonly durability?: Durability;
}

interface SafeguardContext {
  readonly config: SafeguardConfig;
  readonly clock: Clock;
  readonly log: Log;
  readonly metrics: Registry;
}

/** @param redis the region's, if this process uses it: its clock is a peer, its policy watched */
export function watchSafeguards(
  { config, clock, log, metrics }: SafeguardContext,
  clientId: string,
  redis?: Redis,
): Safeguards {
  const { topicPrefix, kafkaReplication: replication } = config;
  const shared = { clientId, topicPrefix, replication, log, gauges: createKafkaGauges(metrics) };
  const own = watchKafkaSettings({ ...shared, brokers: config.kafkaBrokers, cluster: 'own' });
  const { standbyBrokers: others = [] } = config;
  const standby =
    config.durability === 'two-regions' && others.length > 0
      ? watchKafkaSettings({ ...shared, brokers: others, cluster: 'standby' })
      : undefined;
  const peers = config.clockPeers.map(httpPeer);
  if (redis !== undefined) peers.push(redisPeer(redis));
  const { clockErrorMs, clockBoundFile } = config;
  const watched = watchClock({ clock, clockErrorMs, clockBoundFile, peers, log, metrics });
  const policy = redis && watchRedisPolicy(redis, log);
  return {
    clockErrorMs: watched.errorMs,
    clockDoubts: watched.notReady,
    notReady: () => [
      ...watched.notReady(),
      ...own.notReady(),
      ...(standby?.notReady() ?? []),
      ...(policy?.notReady() ?? []),
    ],
    areCopiesSafe: () => standby?.areAsDeclared() ?? false,
    close: async () => {
      await Promise.all([watched.close(), policy?.close(), own.close(), standby?.close()]);
    },
  };
}
