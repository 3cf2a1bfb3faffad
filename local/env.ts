import type { Durability } from '#common/contracts/receipt.ts';
import type { Secrets } from './secrets.ts';
import type { ServiceKeys, ServiceKind } from './services.ts';

/** A service in one place: `intake(us-east-1)`, or `portal` when there is one for all. */
export interface Placed {
  readonly kind: ServiceKind;
  readonly region: string | undefined;
}

/** Everything an environment is made of. */
export interface Facts {
  readonly regions: readonly string[];
  /** The port of a listener: `intake(us-east-1)`, `intake(us-east-1)/internal`, `edge/portal` … */
  readonly port: (listener: string) => number;
  readonly secrets: Secrets;
  /** Where copies of a vote lie before its 201. */
  readonly durability: Durability;
}

/** What one machine can promise, declared: nothing measures it here. */
export const declared = { kafkaCopies: 1, clockErrorMs: 5 };

/** The id of a process: unique in a stack, and the name of its main listener in `Facts.port`. */
export function placedName(name: string, region: string | undefined): string {
  return region === undefined ? name : `${name}(${region})`;
}

/**
 * Every value the local stack can give to a service in a place. Services with one instance for all
 * regions work with the stores of the first, the home region.
 */
function allValues({ kind, region }: Placed, facts: Facts): Record<string, string> {
  const { port, regions, secrets } = facts;
  const home = region ?? regions[0] ?? '';
  const edge = `http://localhost:${port('edge')}`;
  const id = placedName(kind.name, region);
  return {
    ...secrets.files,
    ...standbyValues(home, facts),
    VOTE_HOST: '127.0.0.1',
    VOTE_PORT: String(port(id)),
    VOTE_INTERNAL_PORT: String(port(`${id}/internal`)),
    VOTE_REGION: home,
    VOTE_REGIONS: regions.map((name) => `${name}=${edge}/r/${name}`).join(','),
    VOTE_LOGS: logsOf(regions).join(','),
    VOTE_KAFKA_BROKERS: `127.0.0.1:${port(placedName('kafka', home))}`,
    VOTE_REDIS_URL: `redis://127.0.0.1:${port(placedName('redis', home))}/0`,
    VOTE_POSTGRES_URL: `postgres://${kind.name}@127.0.0.1:${port('postgres')}/vote`,
    VOTE_RECEIPT_KEY_FILE: secrets.receiptKeys[home] ?? '',
    VOTE_SMTP_URL: `smtp://127.0.0.1:${port('mailbox/smtp')}`,
    VOTE_SMTP_PORT: String(port('mailbox/smtp')),
    VOTE_PUBLIC_URL: edge,
    VOTE_RESULTS_URL: edge,
    VOTE_PORTAL_URL: `http://localhost:${port('edge/portal')}`,
    VOTE_PORTAL_PORT: String(port('edge/portal')),
    VOTE_EDGE_ORIGINS: JSON.stringify(edgeOrigins(facts)),
    // One server; there is no copy to wait for.
    VOTE_POSTGRES_COPIES: '0',
    VOTE_SEAL_KEY_FILE: secrets.sealKeys[home] ?? '',
    VOTE_DURABILITY: facts.durability,
    VOTE_KAFKA_REPLICATION: String(declared.kafkaCopies),
    VOTE_CLOCK_ERROR_MS: String(declared.clockErrorMs),
    VOTE_CLOCK_PEERS: clockPeers(facts).join(','),
  };
}

/** With two regions each hosts the copies of the other's votes. */
function standbyValues(home: string, { regions, port }: Facts): Record<string, string> {
  const other = regions.find((name) => name !== home);
  if (other === undefined) return {};
  return {
    VOTE_STANDBY_BROKERS: `127.0.0.1:${port(placedName('kafka', other))}`,
    VOTE_STANDBY_OF: other,
    VOTE_STANDBY_AWAY: 'refuse',
  };
}

/** The regions, and with two of them the copies that each keeps of the other. */
function logsOf(regions: readonly string[]): string[] {
  const copies = regions.flatMap((host) => {
    const origin = regions.find((name) => name !== host);
    return origin === undefined ? [] : [`${origin}@${host}`];
  });
  return [...regions, ...copies];
}

/** Two processes a region: with its Redis they outvote a clock that is set wrong. */
function clockPeers({ regions, port }: Facts): string[] {
  const ids = regions.flatMap((region) =>
    ['identity', 'records'].map((name) => placedName(name, region)),
  );
  return ids.map((id) => `http://127.0.0.1:${port(`${id}/internal`)}/healthz`);
}

function edgeOrigins({ regions, port }: Facts): Record<string, Record<string, string>> {
  const url = (id: string): string => `http://127.0.0.1:${port(id)}`;
  const behindTheEdge = ['intake', 'identity', 'results', 'records'];
  const regional = regions.map((region) => [
    region,
    Object.fromEntries(behindTheEdge.map((name) => [name, url(placedName(name, region))])),
  ]);
  return { ...Object.fromEntries(regional), portal: { portal: url('portal') } };
}

/**
 * The environment of one service: of all values only the keys it lists. What the caller of
 * `npm start` has set by hand goes before ours.
 *
 * @throws Error for a required key that nobody provides
 */
export function serviceEnv(
  placed: Placed,
  keys: ServiceKeys,
  facts: Facts,
  caller: Readonly<Record<string, string | undefined>>,
): Record<string, string> {
  const values = allValues(placed, facts);
  const entries = keys.all.flatMap((key) => {
    const value = caller[key] ?? values[key];
    return value === undefined ? [] : [[key, value] as const];
  });
  const env = Object.fromEntries(entries);
  const missing = keys.required.find((key) => env[key] === undefined);
  if (missing) throw new Error(`${placed.kind.name} needs ${missing}: add it to local/env.ts.`);
  return env;
}

/** A VOTE_ key of the caller that no service lists: a spelling mistake, told before the start. */
export function unknownCallerKey(
  caller: Readonly<Record<string, string | undefined>>,
  listed: ReadonlySet<string>,
): string | undefined {
  return Object.keys(caller).find((key) => key.startsWith('VOTE_') && !listed.has(key));
}
