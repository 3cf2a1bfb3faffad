import { clockKeys } from '#common/clock-config.ts';
import {
  brokersKey,
  type ConfigKey,
  choiceKey,
  defineConfig,
  integerKey,
  prefixKey,
  secretFileKey,
} from '#common/config.ts';
import { durabilities } from '#common/contracts/receipt.ts';
import { parseOriginSecrets } from '#common/http.ts';
import { kafkaKeys, kafkaReplicationKey } from '#common/kafka-config.ts';
import { parseHmacKey } from '#common/keys.ts';
import { portKey, redisUrlKey, regionKey, serviceKeys } from '#common/service-config.ts';
import { receiptKeyFileKey } from './receipt-key.ts';
import { standbyChoices } from './standby-log.ts';

/** Needed with `two-regions` alone. */
const brokers = brokersKey(
  'VOTE_STANDBY_BROKERS',
  'Kafka brokers of the region that takes the copies (topic vote-standby), host:port,…',
);
const standbyBrokers: ConfigKey<readonly string[]> = {
  ...brokers,
  parse: (text) => (text === '' ? [] : brokers.parse(text)),
  fallback: '',
};

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
  receiptKey: receiptKeyFileKey(
    'VOTE_RECEIPT_KEY_FILE',
    "The region's private Ed25519 key (JWK) that signs receipts; read again when it changes, so " +
      'put its public half into the JWKS of identity and records first.',
  ),
  confirmationKey: secretFileKey(
    'VOTE_CONFIRMATION_KEY_FILE',
    'Key of the confirmation codes; intake and records alone have it.',
    parseHmacKey,
  ),
  durability: choiceKey(
    'VOTE_DURABILITY',
    'Where copies lie before a 201: single (one broker), region, or two-regions.',
    durabilities,
  ),
  standbyBrokers,
  standbyAway: choiceKey(
    'VOTE_STANDBY_AWAY',
    'With two-regions, while the other region is away: refuse votes, or accept them and let the ' +
      'receipt say less.',
    standbyChoices,
    { fallback: 'refuse' },
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
