import { join } from 'node:path';
import { placesIn } from '../../local/places.ts';
import { readStack, type StackFile } from '../../local/stack-file.ts';
import { root } from '../../local/tools.ts';

/** Where a running stack is reached, taken apart once. */
export interface Target {
  readonly stack: StackFile;
  readonly host: string;
  readonly port: number;
  /** Prefix of each way in: the home region without one first, then the others by name. */
  readonly prefixes: readonly string[];
  readonly secrets: string;
}

/** Reads `.local/stack.json`. Throws an Error with one sentence when no stack is ready. */
export function readTarget(): Target {
  const places = placesIn(join(root, '.local'));
  const stack = readStack(places.stack);
  if (stack === undefined) throw new Error('No stack is ready here. Start it with: npm start');
  const { host, port } = new URL(stack.edge);
  const others = stack.regions.slice(1).map(({ name }) => `/r/${name}`);
  return { stack, host, port: Number(port), prefixes: ['', ...others], secrets: places.secrets };
}
