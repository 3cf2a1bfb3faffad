import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import {
  importPublicKeys,
  type PublicKeys,
  parsePublicJwks,
  parseSigningKey,
  type SigningKey,
} from '#common/keys.ts';
import type { Facts } from '../../../local/env.ts';
import { makeSecrets } from '../../../local/secrets.ts';
import { findTools } from '../../../local/tools.ts';
import { Ground } from './ground.ts';
import { PostgresPair } from './postgres-pair.ts';
import { Region } from './region.ts';
import { createService, type Service } from './service.ts';

/** What a run's scenarios need of the cluster that all of them share. */
export interface LabShape {
  readonly regions: 1 | 2;
  /** Kafka's controllers as processes of their own in the first region. */
  readonly hasOwnControllers: boolean;
  readonly durability: 'region' | 'two-regions';
}

const regionNames = ['us-east-1', 'us-west-2'] as const;
/**
 * The first region's Kafka is as in the world, the second's is as small as it may be. Where each
 * keeps the other's copies both are declared alike, so both are small: six brokers are too many.
 */
const brokersOf = { region: [3, 1], 'two-regions': [1, 1] } as const;

/** Keys that stand outside the services: ballots are signed and receipts checked by the lab. */
export interface LabKeys {
  readonly ballot: SigningKey;
  readonly receipts: PublicKeys;
  readonly originSecret: string;
}

interface LabParts {
  readonly ground: Ground;
  readonly postgres: PostgresPair;
  readonly regions: readonly Region[];
  readonly keys: LabKeys;
  readonly portal: Service;
  readonly identity: Service;
}

/** The whole system as real processes on this machine, in a folder of its own. */
export class Lab implements LabParts {
  readonly ground: Ground;
  readonly postgres: PostgresPair;
  readonly regions: readonly Region[];
  readonly keys: LabKeys;
  /** Started by the scenarios that need it, as identity is: votes go on without both. */
  readonly portal: Service;
  readonly identity: Service;

  private constructor(parts: LabParts) {
    this.ground = parts.ground;
    this.postgres = parts.postgres;
    this.regions = parts.regions;
    this.keys = parts.keys;
    this.portal = parts.portal;
    this.identity = parts.identity;
  }

  static async create(shape: LabShape): Promise<Lab> {
    const ground = await Ground.create();
    const tools = findTools();
    const names = regionNames.slice(0, shape.regions);
    const secrets = await makeSecrets(join(ground.folder, 'secrets'), names);
    const { durability } = shape;
    const brokers = brokersOf[durability];
    const facts: Facts = {
      regions: names,
      secrets,
      port: (name) => ground.port(name),
      durability,
    };
    const postgres = await PostgresPair.create(ground, tools);
    const regions = names.map((name, at) => {
      const count = brokers[at]!;
      const other = names[1 - at];
      // One broker keeps one copy, whatever the other region keeps.
      const own = durability === 'region' && count === 1 ? 'single' : durability;
      return Region.create(ground, tools, facts, {
        name,
        kafka: { brokers: count, hasOwnControllers: at === 0 && shape.hasOwnControllers },
        own: {
          VOTE_DURABILITY: own,
          VOTE_KAFKA_REPLICATION: String(count),
          VOTE_CLOCK_PEERS: clockPeers(ground, names),
          // Or nobody could vote while one region is away.
          VOTE_STANDBY_AWAY: 'accept',
          ...(other === undefined ? {} : standbyBrokers(ground, other, brokers[1 - at]!)),
        },
      });
    });
    const alone = (name: string): Promise<Service> =>
      createService(ground, tools, facts, { name, region: undefined, number: 1 }, {});
    return new Lab({
      ground,
      postgres,
      regions: await Promise.all(regions),
      keys: await readKeys(facts),
      portal: await alone('portal'),
      identity: await createService(
        ground,
        tools,
        facts,
        { name: 'identity', region: names[0], number: 1 },
        {},
      ),
    });
  }

  get home(): Region {
    return this.regions[0]!;
  }

  region(name: string): Region {
    const found = this.regions.find((region) => region.name === name);
    if (found === undefined) throw new Error(`there is no region ${name}`);
    return found;
  }

  async start(): Promise<void> {
    await this.postgres.start();
    // As identity does at its start; the lab signs ballots itself, with identity's key.
    const { kid, publicJwk } = this.keys.ballot;
    await this.postgres.run(
      'INSERT INTO votes.ballot_keys (kid, x) VALUES ($1, $2) ON CONFLICT DO NOTHING',
      [kid, publicJwk.x],
    );
    await Promise.all(this.regions.map((region) => region.start()));
  }

  /** Everything runs, is ready, and no proxy does any harm. */
  async heal(): Promise<void> {
    await this.postgres.heal();
    await Promise.all(this.regions.map((region) => region.heal()));
  }

  /** Ends everything; with `keep` the folder with its logs stays. */
  async close(keep = false): Promise<void> {
    await Promise.all([this.portal, this.identity].map(({ process }) => process.kill()));
    await Promise.all(this.regions.map((region) => region.close()));
    await this.postgres.close();
    if (!keep) await this.ground.clear();
  }
}

/** The clocks beside Redis's that an intake and a ledger compare theirs with. */
function clockPeers(ground: Ground, regions: readonly string[]): string {
  const ids = regions.flatMap((region) => [`records-${region}-1`, `results-${region}-1`]);
  return ids.map((id) => `http://127.0.0.1:${ground.port(`${id}/internal`)}/healthz`).join(',');
}

function standbyBrokers(ground: Ground, region: string, count: number): Record<string, string> {
  const ids = Array.from({ length: count }, (_, id) => id + 1);
  const addresses = ids.map((id) => `127.0.0.1:${ground.port(`kafka-${region}-proxy-${id}`)}`);
  return { VOTE_STANDBY_BROKERS: addresses.join(',') };
}

async function readKeys({ secrets }: Facts): Promise<LabKeys> {
  const read = async (key: string): Promise<string> =>
    (await readFile(secrets.files[key]!, 'utf8')).trim();
  return {
    ballot: parseSigningKey(await read('VOTE_BALLOT_KEY_FILE')),
    receipts: importPublicKeys(parsePublicJwks(await read('VOTE_RECEIPT_JWKS_FILE'))),
    originSecret: (await read('VOTE_ORIGIN_SECRET_FILE')).split('\n')[0]!,
  };
}
