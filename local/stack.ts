import { mkdir, rm, statfs } from 'node:fs/promises';
import { type Facts, type Placed, placedName, unknownCallerKey } from './env.ts';
import type { HeldPorts } from './free-ports.ts';
import { buildGraph, type PlacedService, type StackNode } from './graph.ts';
import type { Options } from './options.ts';
import type { Places } from './places.ts';
import { type PortWish, planPorts, readPorts, savePorts } from './ports.ts';
import { makeSecrets } from './secrets.ts';
import { loadKeys, serviceKinds } from './services.ts';
import type { Terminal } from './terminal.ts';
import { findTools } from './tools.ts';

const FREE_BYTES_MIN = 300_000_000;

const preferredPorts: Readonly<Record<string, number>> = {
  edge: 8_080,
  'edge/portal': 8_081,
  mailbox: 8_025,
};

/** Makes folders, ports and secrets and returns the facts and the graph of what is to run. */
export async function prepareStack(
  options: Options,
  places: Places,
  terminal: Terminal,
  held: HeldPorts,
): Promise<{ facts: Facts; nodes: StackNode[] }> {
  if (options.clean) await rm(places.data, { recursive: true, force: true });
  await mkdir(places.data, { recursive: true, mode: 0o700 });
  await checkRoom(places);
  const services = await placeServices(options.regions);
  const listed = new Set(services.flatMap(({ keys }) => keys.all));
  const unknown = unknownCallerKey(process.env, listed);
  if (unknown) throw new Error(`${unknown} is set, but no service knows it: check its spelling.`);
  const ports = await choosePorts(options.regions, places, terminal, held);
  const secrets = await makeSecrets(places.secrets, options.regions);
  const facts: Facts = {
    regions: options.regions,
    durability: options.durability,
    secrets,
    port: (listener) => {
      const port = ports.get(listener);
      if (port === undefined) throw new Error(`No port was planned for ${listener}.`);
      return port;
    },
  };
  const tools = findTools();
  return { facts, nodes: buildGraph({ tools, places, facts, services, caller: process.env }) };
}

async function checkRoom(places: Places): Promise<void> {
  const disk = await statfs(places.data);
  if (disk.bavail * disk.bsize >= FREE_BYTES_MIN) return;
  throw new Error(`The disk under ${places.local} is full: free at least 1 GB and start again.`);
}

function placesOf(regions: readonly string[]): Placed[] {
  return serviceKinds.flatMap((kind) => {
    const where = kind.scope === 'region' ? regions : [undefined];
    return where.map((region) => ({ kind, region }));
  });
}

async function placeServices(regions: readonly string[]): Promise<PlacedService[]> {
  const placed = placesOf(regions);
  return Promise.all(placed.map(async (one) => ({ ...one, keys: await loadKeys(one.kind) })));
}

async function choosePorts(
  regions: readonly string[],
  places: Places,
  terminal: Terminal,
  held: HeldPorts,
): Promise<ReadonlyMap<string, number>> {
  const stores = regions.flatMap((region) => {
    const kafka = placedName('kafka', region);
    return [kafka, `${kafka}/controller`, placedName('redis', region)];
  });
  const listeners = placesOf(regions).flatMap(({ kind, region }) => {
    const id = placedName(kind.name, region);
    return [id, `${id}/internal`];
  });
  const names = ['edge/portal', 'mailbox/smtp', 'postgres', ...stores, ...listeners];
  const wishes = names.map((name): PortWish => {
    const preferred = preferredPorts[name];
    return preferred === undefined ? { name } : { name, preferred };
  });
  const before = await readPorts(places.ports);
  const plan = await planPorts(wishes, before, (port) => held.hold(port));
  for (const notice of plan.notices) terminal.say(notice);
  await savePorts(places.ports, before, plan);
  return plan.ports;
}
