import { type ConfigKey, defineConfig, integerKey, secretFileKey } from '#common/config.ts';
import { parseOriginSecrets } from '#common/http.ts';
import { portKey, serviceKeys } from '#common/service-config.ts';

const regionServices = ['intake', 'identity', 'results', 'records'] as const;

/** Where the origins are: the addresses that stand for the regions' load balancers. */
export interface EdgeOrigins {
  /** First = home region. */
  readonly regions: readonly {
    readonly name: string;
    readonly services: Readonly<Record<string, URL>>;
  }[];
  readonly portal: URL;
}

const example = '{"us-east-1": {"intake": "http://127.0.0.1:9101", …}, "portal": {"portal": …}}';

const originsKey: ConfigKey<EdgeOrigins> = {
  env: 'VOTE_EDGE_ORIGINS',
  doc: `The origins as JSON, home region first: ${example}`,
  parse: parseOrigins,
};

export const edgeConfig = defineConfig({
  ...serviceKeys,
  port: portKey,
  portalPort: integerKey(
    'VOTE_PORTAL_PORT',
    'Port of a second listener that is always the portal host, whatever Host says.',
    { min: 1, max: 65_535 },
  ),
  origins: originsKey,
  originSecret: secretFileKey(
    'VOTE_ORIGIN_SECRET_FILE',
    'File whose first line the edge sends to every origin; origins take the second line too.',
    (content) => parseOriginSecrets(content)[0]!,
  ),
});

/** Reads `VOTE_EDGE_ORIGINS`. Throws an Error that completes "VOTE_EDGE_ORIGINS …". */
export function parseOrigins(text: string): EdgeOrigins {
  const table = parseTable(text);
  const portal = addressOf(table, 'portal', 'portal');
  const names = Object.keys(table).filter((name) => name !== 'portal');
  if (names.length === 0) throw new Error(`names no region; it looks like ${example}`);
  const regions = names.map((name) => {
    if (!/^[a-z][a-z0-9-]{1,30}$/.test(name)) {
      throw new Error(`has a region "${name}": use lower-case letters, digits and hyphens`);
    }
    const other = Object.keys(table[name] ?? {}).find((key) => !isRegionService(key));
    if (other !== undefined) throw new Error(`gives ${name} a service "${other}", which is none`);
    const services = regionServices.map((key) => [key, addressOf(table, name, key)] as const);
    return { name, services: Object.fromEntries(services) };
  });
  return { regions, portal };
}

type Table = Readonly<Record<string, Readonly<Record<string, unknown>> | undefined>>;

function parseTable(text: string): Table {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw new Error(`is not JSON; it looks like ${example}`);
  }
  if (value === null || typeof value !== 'object' || Array.isArray(value)) {
    throw new Error(`must be a JSON object; it looks like ${example}`);
  }
  return value as Table;
}

function isRegionService(key: string): boolean {
  return (regionServices as readonly string[]).includes(key);
}

function addressOf(table: Table, group: string, service: string): URL {
  const text = table[group]?.[service];
  if (text === undefined) throw new Error(`lacks ${group}.${service}`);
  const url = typeof text === 'string' && URL.canParse(text) ? new URL(text) : undefined;
  if (url?.protocol !== 'http:' || url.pathname !== '/') {
    throw new Error(`${group}.${service} must be http://host:port, not ${JSON.stringify(text)}`);
  }
  return url;
}
