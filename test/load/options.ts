import { parseArgs } from 'node:util';
import { type Curve, curves } from './arrivals.ts';

export interface LoadOptions {
  /** Mean arrivals a second over the whole run. */
  readonly rate: number;
  readonly seconds: number;
  /** Ballots opened ahead; a run ends early when all of them have voted. */
  readonly voters: number;
  readonly curve: Curve;
  readonly streams: number;
  /** An open session that admits codes; undefined: one is made for the run. */
  readonly session: string | undefined;
  readonly json: boolean;
  /** A gentle crowd without end in the demo session. */
  readonly demo: boolean;
}

export const usage = `Options of npm run load (after --):
  --rate R       votes a second, mean over the run (default 500)
  --seconds S    length of the run (default 60)
  --voters N     voters with a ballot, one vote each (default R x S); fewer end the run earlier
  --curve NAME   ${curves.join(' | ')} (default flat)
  --streams N    results streams followed (default 20)
  --session ID   an open session that admits voting codes (default: a new one)
  --json         the report as JSON on stdout, progress on stderr
  --demo         vote gently in the demo session until stopped (default rate 5)`;

const votersMax = 5_000_000;
const streamsMax = 50_000;
const rateMax = 50_000;
const secondsMax = 24 * 60 * 60;

/** Reads the command line. Throws an Error with one sentence and the usage. */
export function parseOptions(args: readonly string[]): LoadOptions {
  try {
    const { values } = parseArgs({
      args: [...args],
      allowPositionals: false,
      options: {
        rate: { type: 'string' },
        seconds: { type: 'string' },
        voters: { type: 'string' },
        curve: { type: 'string', default: 'flat' },
        streams: { type: 'string' },
        session: { type: 'string' },
        json: { type: 'boolean', default: false },
        demo: { type: 'boolean', default: false },
      },
    });
    const rate = readNumber('--rate', values.rate, values.demo ? 5 : 500, rateMax);
    const seconds = readNumber('--seconds', values.seconds, 60, secondsMax);
    const arrivals = Math.min(votersMax, Math.max(1, Math.round(rate * seconds)));
    const curve = curves.find((name) => name === values.curve);
    if (curve === undefined) throw new Error(`--curve must be one of ${curves.join(', ')}`);
    return {
      rate,
      seconds,
      voters: Math.round(readNumber('--voters', values.voters, arrivals, votersMax)),
      curve,
      streams: Math.round(readNumber('--streams', values.streams, 20, streamsMax)),
      session: values.session,
      json: values.json,
      demo: values.demo,
    };
  } catch (error) {
    // Node's own text goes on about positional arguments: its first sentence is enough.
    const reason = error instanceof Error ? error.message.split('. ')[0] : String(error);
    throw new Error(`${reason}.\n${usage}`, { cause: error });
  }
}

function readNumber(name: string, text: string | undefined, fallback: number, max: number): number {
  if (text === undefined) return fallback;
  const value = /^\d+(\.\d+)?$/.test(text) ? Number(text) : 0;
  if (!(value > 0 && value <= max)) {
    throw new Error(`${name} must be a number above 0 and up to ${max}, not "${text}"`);
  }
  return value;
}
