import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { ConfigSpec } from '#common/config.ts';
import { root } from './tools.ts';

/** A service of ours: where it lives, and whether every region has one. */
export interface ServiceKind {
  readonly name: string;
  readonly folder: string;
  readonly scope: 'region' | 'stack';
}

export const serviceKinds: readonly ServiceKind[] = [
  ...['intake', 'ledger', 'publisher', 'results', 'records', 'identity'].map(
    (name): ServiceKind => ({ name, folder: `regional-core/${name}`, scope: 'region' }),
  ),
  { name: 'portal', folder: 'admin-portal/api', scope: 'stack' },
  { name: 'mailbox', folder: 'local/mailbox', scope: 'stack' },
  { name: 'edge', folder: 'local/edge', scope: 'stack' },
];

/** The configuration keys a service lists, and which of them it cannot start without. */
export interface ServiceKeys {
  readonly all: readonly string[];
  readonly required: readonly string[];
}

/**
 * Reads a service's own `config.ts`, whatever name it gives its specification. Throws with the path
 * when the service is not there or specifies nothing.
 */
export async function loadKeys({ name, folder }: ServiceKind): Promise<ServiceKeys> {
  const path = join(root, folder, 'config.ts');
  if (!existsSync(path)) throw new Error(`The service ${name} is not there: ${folder}/config.ts.`);
  const exported: Record<string, unknown> = await import(pathToFileURL(path).href);
  const config = Object.values(exported).find(isSpec);
  if (config === undefined) throw new Error(`${folder}/config.ts exports no configuration.`);
  const keys = Object.values(config);
  return {
    all: keys.map((key) => key.env),
    required: keys.filter((key) => key.fallback === undefined).map((key) => key.env),
  };
}

function isSpec(value: unknown): value is ConfigSpec {
  if (typeof value !== 'object' || value === null) return false;
  const keys: unknown[] = Object.values(value);
  return keys.length > 0 && keys.every(isKey);
}

function isKey(value: unknown): boolean {
  return typeof value === 'object' && value !== null && 'env' in value && 'parse' in value;
}
