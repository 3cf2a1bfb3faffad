import { parseArgs } from 'node:util';
import type { Durability } from '#common/contracts/receipt.ts';

export interface Options {
  readonly detach: boolean;
  readonly clean: boolean;
  readonly demo: boolean;
  /** Names of the regions to start, home region first. */
  readonly regions: readonly string[];
  /** Where copies of a vote lie before its 201: one broker, or one in each of two regions. */
  readonly durability: Durability;
}

const regionNames = ['us-east-1', 'us-west-2'] as const;

const usage = `Options of npm start (after --):
  --detach       return when ready; npm stop ends it
  --regions N    1 or ${regionNames.length} regions (default 1)
  --durability D single or two-regions (default single; two-regions needs --regions 2)
  --clean        drop the data first
  --demo         add a gentle crowd that votes`;

/** Reads the command line. Throws an Error with one sentence and the usage. */
export function parseOptions(args: readonly string[]): Options {
  try {
    const { values } = parseArgs({
      args: [...args],
      allowPositionals: false,
      options: {
        detach: { type: 'boolean', default: false },
        clean: { type: 'boolean', default: false },
        demo: { type: 'boolean', default: false },
        regions: { type: 'string', default: '1' },
        durability: { type: 'string', default: 'single' },
      },
    });
    const { regions, durability, ...flags } = values;
    const count = /^\d$/.test(regions) ? Number(regions) : 0;
    if (count < 1 || count > regionNames.length) {
      throw new Error(`--regions must be 1 to ${regionNames.length}, not "${regions}"`);
    }
    if (durability !== 'single' && durability !== 'two-regions') {
      throw new Error(`--durability must be single or two-regions, not "${durability}"`);
    }
    if (durability === 'two-regions' && count < 2) {
      throw new Error('--durability two-regions needs --regions 2');
    }
    return { ...flags, regions: regionNames.slice(0, count), durability };
  } catch (error) {
    // Node's own text goes on about how to pass positional arguments: its first sentence is enough.
    const reason = error instanceof Error ? error.message.split('. ')[0] : String(error);
    throw new Error(`${reason}.\n${usage}`, { cause: error });
  }
}
