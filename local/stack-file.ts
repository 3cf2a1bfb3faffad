import { readFileSync, rmSync } from 'node:fs';
import type { Demo } from './demo.ts';
import { declared, type Facts, placedName } from './env.ts';
import type { ProcessNode } from './graph.ts';
import { writeWhole } from './write-whole.ts';

/** `.local/stack.json`: what runs where, for tests, the load generator and the command line. */
export interface StackFile {
  readonly edge: string;
  readonly portal: string;
  /** Superuser's URL of the database. */
  readonly postgres: string;
  /** Of the home region; the others stand in `regions`. */
  readonly redis: string;
  readonly kafka: string;
  readonly regions: readonly {
    readonly name: string;
    /** The edge's address that pins this region. */
    readonly url: string;
    readonly kafka: string;
    readonly redis: string;
  }[];
  /** Name → one entry for each place it runs in; `region` is null where there is one for all. */
  readonly services: Readonly<Record<string, readonly StackProcess[]>>;
  readonly mailbox: string;
  readonly demo: Demo;
  /** What a 201 of this stack promises, and what of it is declared and not measured. */
  readonly promise: {
    readonly durability: Facts['durability'];
    readonly kafkaCopies: number;
    readonly clockErrorMs: number;
  };
}

/** `url` is of the main listener; `pid` changes with a restart, and the file with it. */
export interface StackProcess {
  readonly url: string;
  readonly pid: number;
  readonly region: string | null;
}

type Running = readonly { node: ProcessNode; pid: number | undefined }[];

/** Where a browser finds the vote and the portal. */
export function addressesOf({ port }: Facts): { edge: string; portal: string } {
  return {
    edge: `http://localhost:${port('edge')}`,
    portal: `http://localhost:${port('edge/portal')}`,
  };
}

/** A process that is down at this moment is left out until it runs again. */
export function describeStack(facts: Facts, processes: Running, demo: Demo): StackFile {
  const { port, regions } = facts;
  const { edge, portal } = addressesOf(facts);
  const kafka = (region = ''): string => `127.0.0.1:${port(placedName('kafka', region))}`;
  const redis = (region = ''): string => `redis://127.0.0.1:${port(placedName('redis', region))}/0`;
  const services: Record<string, StackProcess[]> = {};
  for (const { node, pid } of processes) {
    const entries = (services[node.name] ??= []);
    if (pid !== undefined) entries.push({ url: node.url, pid, region: node.region ?? null });
  }
  return {
    edge,
    portal,
    postgres: `postgres://postgres@127.0.0.1:${port('postgres')}/vote`,
    redis: redis(regions[0]),
    kafka: kafka(regions[0]),
    regions: regions.map((name) => ({
      name,
      url: `${edge}/r/${name}`,
      kafka: kafka(name),
      redis: redis(name),
    })),
    services,
    mailbox: `http://localhost:${port('mailbox')}`,
    demo,
    promise: { durability: facts.durability, ...declared },
  };
}

/** Readers meet the old file or the new one. Call it again only when the last call has settled. */
export async function writeStack(path: string, stack: StackFile): Promise<void> {
  // It holds the admins' passwords, so it is the owner's alone.
  await writeWhole(path, `${JSON.stringify(stack, null, 2)}\n`, 0o600);
}

/** The running stack, or undefined when none is ready. */
export function readStack(path: string): StackFile | undefined {
  try {
    return JSON.parse(readFileSync(path, 'utf8'));
  } catch {
    return undefined;
  }
}

/** Says that no stack is ready; does nothing when none was. */
export function dropStack(path: string): void {
  rmSync(path, { force: true });
}
