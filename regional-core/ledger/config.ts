import { clockKeys } from '#common/clock-config.ts';
import { defineConfig } from '#common/config.ts';
import { kafkaKeys, kafkaReplicationKey } from '#common/kafka-config.ts';
import { postgresUrlKey, regionKey, serviceKeys } from '#common/service-config.ts';

export const config = defineConfig({
  ...serviceKeys,
  ...kafkaKeys,
  kafkaReplication: kafkaReplicationKey,
  ...clockKeys,
  region: regionKey,
  postgresUrl: postgresUrlKey,
});
