// npm run -s recount -- --session ID: counts a session again from its sources and compares them.

import { parseArgs } from 'node:util';
import { isUuid } from '#common/uuid.ts';
import { runCommand } from './command.ts';
import {
  type Recount,
  type RecountSource,
  recountSession,
  recountSources,
} from './recount/recount-session.ts';

const usage = `Usage: npm run -s recount -- --session ID [--from SOURCE] [--order ORDER] [--json]
  --session ID      the voting session (a UUID)
  --from SOURCE     rows, tallies, kafka or all (default all); held against the live tallies
  --order ORDER     log (default) or random: the order in which the logs are read
  --seed N          of the random order, 0 to 4294967295; drawn and printed when not given
  --json            one line of JSON instead of a table`;

const seedMax = 2 ** 32 - 1;

interface Options {
  readonly sessionId: string;
  readonly sources: readonly RecountSource[];
  readonly seed: number | undefined;
  readonly json: boolean;
}

/** Reads the command line. Throws an Error with one sentence. */
export function parseRecountOptions(args: readonly string[], random: () => number): Options {
  const { values } = parseArgs({
    args: [...args],
    allowPositionals: false,
    options: {
      session: { type: 'string' },
      from: { type: 'string', default: 'all' },
      order: { type: 'string', default: 'log' },
      seed: { type: 'string' },
      json: { type: 'boolean', default: false },
    },
  });
  const { session: sessionId, from, order, json } = values;
  if (sessionId === undefined) throw new Error('--session is missing');
  if (!isUuid(sessionId)) throw new Error(`--session must be a UUID, not "${values.session}"`);
  if (order !== 'log' && order !== 'random') {
    throw new Error(`--order must be log or random, not "${order}"`);
  }
  if (values.seed !== undefined && order === 'log') {
    throw new Error('--seed goes with --order random');
  }
  if (from !== 'all' && !recountSources.some((name) => name === from)) {
    throw new Error(`--from must be rows, tallies, kafka or all, not "${from}"`);
  }
  // Whatever is counted again is held against the live tallies.
  const sources = recountSources.filter(
    (name) => [name, 'all'].includes(from) || name === 'tallies',
  );
  const seed = order === 'random' ? readSeed(values.seed, random) : undefined;
  return { sessionId, sources, seed, json };
}

function readSeed(text: string | undefined, random: () => number): number {
  if (text === undefined) return Math.floor(random() * seedMax);
  if (!/^\d{1,10}$/.test(text) || Number(text) > seedMax) {
    throw new Error(`--seed must be a whole number up to ${seedMax}, not "${text}"`);
  }
  return Number(text);
}

/** The recount as a person reads it. */
export function formatRecount(recount: Recount, seed: number | undefined): string {
  const { session, isProvisional, notes, differences } = recount;
  const lines = [
    `${session.title} (${session.session_id}), version ${session.version}: ` +
      (isProvisional ? 'provisional, it may still change' : 'sealed'),
  ];
  for (const name of recountSources) {
    const result = recount[name];
    if (result === undefined) continue;
    const counts = session.option_ids.map((id, no) => `${id} ${result.counts[no]}`).join(', ');
    lines.push(`${name.padEnd(8)} ${result.total} = ${counts}`);
    if ('digest' in result) lines.push(`${' '.repeat(8)} digest ${result.digest}`);
  }
  if (seed !== undefined) lines.push(`The logs were read in the order of seed ${seed}.`);
  lines.push(...notes.map((note) => `${note}.`));
  if (differences.length > 0) {
    lines.push('The sources differ:', ...differences.map((sentence) => `  ${sentence}`));
  } else if (recountSources.filter((name) => recount[name] !== undefined).length > 1) {
    lines.push('The sources are equal.');
  }
  return `${lines.join('\n')}\n`;
}

if (import.meta.main) {
  const parse = (args: readonly string[]) => parseRecountOptions(args, Math.random);
  await runCommand(usage, parse, async ({ sessionId, sources, seed, json }, stack) => {
    const { postgres, regions } = stack;
    const stores = { postgres, regions, topicPrefix: '' };
    const recount = await recountSession(stores, sessionId, { sources, seed });
    const { session, ...results } = recount;
    process.stdout.write(
      json
        ? `${JSON.stringify({ session_id: session.session_id, seed, ...results })}\n`
        : formatRecount(recount, seed),
    );
    if (recount.differences.length > 0) process.exitCode = 1;
  });
}
