import { type ConfigOf, defineConfig, secretFileKey } from '#common/config.ts';
import { parseOriginSecrets } from '#common/http.ts';
import { kafkaKeys, standbyOfKey } from '#common/kafka-config.ts';
import { parseHmacKey, parsePublicJwks } from '#common/keys.ts';
import { portKey, postgresUrlKey, regionKey, serviceKeys } from '#common/service-config.ts';

export const config = defineConfig({
  ...serviceKeys,
  ...kafkaKeys,
  port: portKey,
  region: regionKey,
  standbyOf: standbyOfKey,
  postgresUrl: postgresUrlKey,
  originSecrets: secretFileKey(
    'VOTE_ORIGIN_SECRET_FILE',
    'What the edge sends to prove itself: one line, or current and next while it rotates.',
    parseOriginSecrets,
  ),
  confirmationKey: secretFileKey(
    'VOTE_CONFIRMATION_KEY_FILE',
    'Key of the confirmation codes; intake and records alone have it.',
    parseHmacKey,
  ),
  receiptJwks: secretFileKey(
    'VOTE_RECEIPT_JWKS_FILE',
    'JWKS with the public keys of receipts of all regions, old ones too.',
    parsePublicJwks,
  ),
});

export type RecordsConfig = ConfigOf<typeof config>;
