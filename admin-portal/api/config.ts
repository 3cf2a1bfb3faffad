import { type ConfigOf, defineConfig, prefixKey, secretFileKey, urlKey } from '#common/config.ts';
import { parseOriginSecrets } from '#common/http.ts';
import {
  portKey,
  postgresCopiesKey,
  postgresUrlKey,
  redisUrlKey,
  serviceKeys,
} from '#common/service-config.ts';
import { parseFirstAdmins } from './first-admins.ts';
import { logsKey } from './logs-key.ts';

export const config = defineConfig({
  ...serviceKeys,
  port: portKey,
  postgresUrl: postgresUrlKey,
  postgresCopies: postgresCopiesKey,
  redisUrl: redisUrlKey,
  redisPrefix: prefixKey('VOTE_REDIS_PREFIX', 'Put before every Redis key; for shared stores.'),
  logs: logsKey(
    'VOTE_LOGS',
    'Every log of votes: regions, and region@host where a host keeps copies. No session is settled ' +
      'before all that are read were read to its end; one that is missing here may be forgotten.',
  ),
  originSecrets: secretFileKey(
    'VOTE_ORIGIN_SECRET_FILE',
    'File with what the edge sends in x-origin-secret: current, then next, a line each.',
    parseOriginSecrets,
  ),
  firstAdmins: secretFileKey(
    'VOTE_ADMIN_BOOTSTRAP_FILE',
    'JSON file [{"email", "password"}, …] of one to five first admins; each is made when missing. ' +
      'Whoever decides together comes from two of them: give each his own password, and no other.',
    parseFirstAdmins,
  ),
  portalUrl: urlKey(
    'VOTE_PORTAL_URL',
    "The portal's public address; requests of pages from other origins are refused.",
    ['http', 'https'],
  ),
});

export type PortalConfig = ConfigOf<typeof config>;
