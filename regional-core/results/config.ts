import { defineConfig, integerKey, secretFileKey } from '#common/config.ts';
import { parseOriginSecrets } from '#common/http.ts';
import { kafkaKeys } from '#common/kafka-config.ts';
import { importPublicKeys, parsePublicJwks } from '#common/keys.ts';
import { portKey, regionKey, serviceKeys } from '#common/service-config.ts';

export const config = defineConfig({
  ...serviceKeys,
  port: portKey,
  region: regionKey,
  ...kafkaKeys,
  originSecrets: secretFileKey(
    'VOTE_ORIGIN_SECRET_FILE',
    'File of what the edge sends in x-origin-secret: current first, next while it rotates.',
    parseOriginSecrets,
  ),
  receiptKeys: secretFileKey(
    'VOTE_RECEIPT_JWKS_FILE',
    'JWKS of the public keys that receipts of all regions are signed with.',
    (content) => importPublicKeys(parsePublicJwks(content)),
  ),
  streamsMax: integerKey(
    'VOTE_STREAMS_MAX',
    'Open results streams of this process; one more is answered with 503. About 20 kB each.',
    { min: 1, max: 100_000 },
    { fallback: '20000' },
  ),
  streamsPerAddressMax: integerKey(
    'VOTE_STREAMS_PER_ADDRESS_MAX',
    'Open streams of one viewer address (IPv6: one /64); thousands may share one behind a NAT.',
    { min: 1, max: 100_000 },
    { fallback: '5000' },
  ),
});
