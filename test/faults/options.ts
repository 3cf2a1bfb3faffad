import { parseArgs } from 'node:util';
import type { Scale } from './scenario.ts';

/** The scenarios that run before every merge: short, one of each kind. */
export const ciIds = [
  'F1',
  'F3',
  'F8',
  'F17',
  'F24',
  'F26',
  'F31',
  'F42',
  'F45',
  'F54',
  'F61',
  'F65',
] as const;

export interface FaultOptions {
  /** Ids in the order asked for; all when none was named. */
  readonly ids: readonly string[];
  readonly scale: Scale;
  /** Leaves the folder with logs and histories. */
  readonly keep: boolean;
}

const usage = `npm run faults -- [F24 F45 …] [--scale short|full] [--ci] [--keep]
  no ids: all of them; --ci: those that run before a merge; --keep: the lab's folder stays`;

/** Reads the command line. Throws an Error with one sentence and the usage. */
export function parseOptions(args: readonly string[], known: readonly string[]): FaultOptions {
  const { values, positionals } = parseArgs({
    args: [...args],
    allowPositionals: true,
    options: {
      scale: { type: 'string', default: 'short' },
      ci: { type: 'boolean', default: false },
      keep: { type: 'boolean', default: false },
    },
  });
  const { scale } = values;
  if (scale !== 'short' && scale !== 'full') throw new Error(`--scale: short or full.\n${usage}`);
  const asked = values.ci ? ciIds : positionals;
  const unknown = asked.find((id) => !known.includes(id));
  if (unknown !== undefined) throw new Error(`There is no scenario ${unknown}.\n${usage}`);
  return { ids: asked.length > 0 ? asked : known, scale, keep: values.keep };
}
