import { brokersKey, integerKey, prefixKey } from './config.ts';

export const kafkaKeys = {
  kafkaBrokers: brokersKey('VOTE_KAFKA_BROKERS', "The region's Kafka brokers, host:port,…"),
  topicPrefix: prefixKey('VOTE_TOPIC_PREFIX', 'Put before every topic name; for shared clusters.'),
};

/** For those whose word depends on it: intake promises, the ledger counts. */
export const kafkaReplicationKey = integerKey(
  'VOTE_KAFKA_REPLICATION',
  'Copies of each record, read back from the live cluster: 3 in a region, 1 on one machine.',
  { min: 1, max: 9 },
);

/** For those who read that log once its region is lost: the ledger, and who counts after it. */
export const standbyOfKey = prefixKey(
  'VOTE_STANDBY_OF',
  "The region whose votes' copies this region's Kafka holds; empty: none.",
);
