import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';

/** The root of the checkout; every command of the stack runs there. */
export const root = resolve(import.meta.dirname, '..');

/** What local/setup.mjs found or installed; absolute paths. */
export interface Tools {
  readonly node: string;
  readonly java: string;
  readonly kafkaLib: string;
  /** Java's archive of the broker's classes; it may be missing. */
  readonly kafkaArchive: string;
  readonly redisServer: string;
  /** Folder with `bin/`, `lib/`, `share/`. */
  readonly postgres: string;
  /** The same of Postgres 15; for tests alone. */
  readonly postgres15?: string;
}

/** Reads .local/tools/tools.json. Throws with what to do when the set-up has not run. */
export function findTools(): Tools {
  const path = resolve(root, '.local/tools/tools.json');
  try {
    const found = JSON.parse(readFileSync(path, 'utf8'));
    return {
      node: resolve(root, 'node_modules/.bin/node'),
      java: found.java.path,
      kafkaLib: resolve(root, found.kafkaLib),
      kafkaArchive: resolve(root, found.kafkaArchive),
      redisServer: resolve(root, found.redisServer),
      postgres: resolve(root, found.postgres.path),
      ...(found.postgres15 ? { postgres15: resolve(root, found.postgres15.path) } : {}),
    };
  } catch (cause) {
    throw new Error('The tools are not installed: run `node local/setup.mjs` first.', { cause });
  }
}
