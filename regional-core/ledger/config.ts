import { clockKeys } from '#common/clock-config.ts';
import { defineConfig, prefixKey, secretFileKey } from '#common/config.ts';
import { kafkaKeys, kafkaReplicationKey } from '#common/kafka-config.ts';
import { parseSigningKey } from '#common/keys.ts';
import { postgresUrlKey, regionKey, serviceKeys } from '#common/service-config.ts';

export const config = defineConfig({
  ...serviceKeys,
  ...kafkaKeys,
  kafkaReplication: kafkaReplicationKey,
  ...clockKeys,
  region: regionKey,
  postgresUrl: postgresUrlKey,
  sealKey: secretFileKey(
    'VOTE_SEAL_KEY_FILE',
    "The region's private Ed25519 key (JWK) that signs seals; its ledgers alone have it.",
    parseSigningKey,
  ),
  standbyOf: prefixKey(
    'VOTE_STANDBY_OF',
    "The region whose votes' copies this region's Kafka holds; empty: none.",
  ),
});
