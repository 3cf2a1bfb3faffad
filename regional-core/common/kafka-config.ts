import { brokersKey, prefixKey } from './config.ts';

export const kafkaKeys = {
  kafkaBrokers: brokersKey('VOTE_KAFKA_BROKERS', "The region's Kafka brokers, host:port,…"),
  topicPrefix: prefixKey('VOTE_TOPIC_PREFIX', 'Put before every topic name; for shared clusters.'),
};
