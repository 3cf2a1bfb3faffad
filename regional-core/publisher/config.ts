import { defineConfig } from '#common/config.ts';
import { kafkaKeys } from '#common/kafka-config.ts';
import {
  postgresCopiesKey,
  postgresUrlKey,
  regionKey,
  serviceKeys,
} from '#common/service-config.ts';

export const config = defineConfig({
  ...serviceKeys,
  ...kafkaKeys,
  region: regionKey,
  postgresUrl: postgresUrlKey,
  postgresCopies: postgresCopiesKey,
});
