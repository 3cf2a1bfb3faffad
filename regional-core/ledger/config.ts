import { clockKeys } from '#common/clock-config.ts';
import { defineConfig, secretFileKey } from '#common/config.ts';
import { kafkaKeys, kafkaReplicationKey, standbyOfKey } from '#common/kafka-config.ts';
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
  standbyOf: standbyOfKey,
});
