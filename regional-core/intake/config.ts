import { clockKeys } from '#common/clock-config.ts';
import { choiceKey, defineConfig, integerKey, prefixKey, secretFileKey } from '#common/config.ts';
import { durabilities } from '#common/contracts/receipt.ts';
import { parseOriginSecrets } from '#common/http.ts';
import { kafkaKeys, kafkaReplicationKey } from '#common/kafka-config.ts';
import { parseHmacKey, parseSigningKey } from '#common/keys.ts';
import { portKey, redisUrlKey, regionKey, serviceKeys } from '#common/service-config.ts';

const perMinute = { min: 1, max: 1_000_000 };

export const config = defineConfig({
  ...serviceKeys,
  ...kafkaKeys,
  kafkaReplication: kafkaReplicationKey,
  ...clockKeys,
  port: portKey,
  region: regionKey,
  redisUrl: redisUrlKey,
  redisPrefix: prefixKey('VOTE_REDIS_PREFIX', 'Put before every Redis key; for shared stores.'),
  originSecrets: secretFileKey(
    'VOTE_ORIGIN_SECRET_FILE',
    'What the edge sends to prove itself: one line, or current and next while it rotates.',
    parseOriginSecrets,
  ),
  receiptKey: secretFileKey(
    'VOTE_RECEIPT_KEY_FILE',
    "The region's private Ed25519 key (JWK) that signs receipts.",
    parseSigningKey,
  ),
  confirmationKey: secretFileKey(
    'VOTE_CONFIRMATION_KEY_FILE',
    'Key of the confirmation codes; intake and records alone have it.',
    parseHmacKey,
  ),
  durability: choiceKey(
    'VOTE_DURABILITY',
    'Where copies lie before a 201, as the receipt says: single on one broker, else region.',
    durabilities.filter((word) => word !== 'two-regions'),
  ),
  addressBallotsPerMinute: integerKey(
    'VOTE_ADDRESS_BALLOTS_PER_MINUTE',
    'Requests a minute of one address that carry a good ballot; a CGNAT has thousands behind it.',
    perMinute,
    { fallback: '6000' },
  ),
  addressOthersPerMinute: integerKey(
    'VOTE_ADDRESS_OTHERS_PER_MINUTE',
    'Requests a minute of one address without a good ballot.',
    perMinute,
    { fallback: '15' },
  ),
});
