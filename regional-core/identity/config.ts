import { defineConfig, prefixKey, secretFileKey, urlKey } from '#common/config.ts';
import { parseOriginSecrets } from '#common/http.ts';
import { parsePublicJwks, parseSigningKey, parseSymmetricKey } from '#common/keys.ts';
import {
  portKey,
  postgresCopiesKey,
  postgresUrlKey,
  redisUrlKey,
  regionKey,
  serviceKeys,
} from '#common/service-config.ts';
import { regionsKey } from './ballot/regions.ts';

export const config = defineConfig({
  ...serviceKeys,
  port: portKey,
  region: regionKey,
  regions: regionsKey(
    'VOTE_REGIONS',
    'Regions that accept votes, `name=url,…`; ballots list them, this region first.',
  ),
  postgresUrl: postgresUrlKey,
  postgresCopies: postgresCopiesKey,
  redisUrl: redisUrlKey,
  redisPrefix: prefixKey('VOTE_REDIS_PREFIX', 'Put before every Redis key; for shared servers.'),
  originSecrets: secretFileKey(
    'VOTE_ORIGIN_SECRET_FILE',
    'File with what the edge sends in x-origin-secret: a line in force, a line coming next.',
    parseOriginSecrets,
  ),
  accessKey: secretFileKey(
    'VOTE_ACCESS_KEY_FILE',
    'Private Ed25519 JWK that signs access tokens.',
    parseSigningKey,
  ),
  ballotKey: secretFileKey(
    'VOTE_BALLOT_KEY_FILE',
    'Private Ed25519 JWK that signs ballots; whoever has it can make voters.',
    parseSigningKey,
  ),
  receiptJwks: secretFileKey(
    'VOTE_RECEIPT_JWKS_FILE',
    'JWKS with the public keys of receipts of all regions, old ones too; shown in our JWKS.',
    parsePublicJwks,
  ),
  votingCodeKey: secretFileKey(
    'VOTE_VOTING_CODE_KEY_FILE',
    'Symmetric key of voting codes; another one makes every printed code wrong.',
    parseSymmetricKey,
  ),
  voterIdKey: secretFileKey(
    'VOTE_VOTER_ID_KEY_FILE',
    'Symmetric key of the voter ids of accounts; must never change.',
    parseSymmetricKey,
  ),
  wrappingKey: secretFileKey(
    'VOTE_WRAPPING_KEY_FILE',
    "Symmetric key that wraps the sessions' secrets in Postgres; must never change.",
    parseSymmetricKey,
  ),
  smtpUrl: urlKey('VOTE_SMTP_URL', 'Mail server, with user and password where it asks for them.', [
    'smtp',
    'smtps',
  ]),
  publicUrl: urlKey('VOTE_PUBLIC_URL', "Where voters reach the page; mails' links start with it.", [
    'http',
    'https',
  ]),
  resultsUrl: urlKey('VOTE_RESULTS_URL', 'Where results are read; told to pages as results_url.', [
    'http',
    'https',
  ]),
});
