// npm run -s codes -- --session ID --count N: prints N voting codes of a session, one a line.

import { createSecretKey, randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { parseArgs } from 'node:util';
import { parseSymmetricKey } from '#common/keys.ts';
import { isUuid } from '#common/uuid.ts';
import { printCodes, runFrom } from '../../regional-core/identity/ballot/voting-code.ts';
import { placesIn } from '../places.ts';
import { root } from '../tools.ts';

const usage = `Usage: npm run -s codes -- --session ID --count N
  --session ID   the voting session the codes are for (a UUID)
  --count N      how many codes, 1 to 500000000`;

const countMax = 500_000_000;
/** About 16 kB a write: a million codes are 1,300 writes. */
const codesAWrite = 768;

/**
 * New codes of a session; two calls give different ones, by a random run number.
 *
 * @param key the stack's voting-code key
 * @param random `randomBytes` of node:crypto, or a test's own
 */
export function* printableCodes(
  key: Buffer,
  sessionId: string,
  count: number,
  random: (bytes: number) => Buffer,
): Generator<string, void> {
  const codes = printCodes(createSecretKey(key), sessionId, runFrom(random(4)));
  for (let printed = 0; printed < count; printed++) yield codes.next().value as string;
}

/** Reads the command line. Throws an Error with one sentence and the usage. */
export function parseCodesOptions(args: readonly string[]): { sessionId: string; count: number } {
  try {
    const { values } = parseArgs({
      args: [...args],
      allowPositionals: false,
      options: { session: { type: 'string' }, count: { type: 'string' } },
    });
    const { session: sessionId, count } = values;
    if (sessionId === undefined) throw new Error('--session is missing');
    if (count === undefined) throw new Error('--count is missing');
    if (!isUuid(sessionId)) throw new Error(`--session must be a UUID, not "${values.session}"`);
    if (!/^[1-9]\d{0,8}$/.test(count) || Number(count) > countMax) {
      throw new Error(`--count must be a whole number from 1 to ${countMax}, not "${count}"`);
    }
    return { sessionId, count: Number(count) };
  } catch (error) {
    // Node's own text goes on about positional arguments: its first sentence is enough.
    const reason = error instanceof Error ? error.message.split('. ')[0] : String(error);
    throw new Error(`${reason}.\n${usage}`, { cause: error });
  }
}

/** Reads the stack's key. Throws an Error that says what to do when there is none. */
export function readVotingCodeKey(folder: string): Buffer {
  const path = join(folder, 'voting-code-key');
  let content: string;
  try {
    content = readFileSync(path, 'utf8').trim();
  } catch (cause) {
    throw new Error('There is no voting-code key yet: run `npm start` once first.', { cause });
  }
  try {
    return parseSymmetricKey(content);
  } catch (cause) {
    throw new Error(`The file ${path} ${(cause as Error).message}.`, { cause });
  }
}

function* inChunks(codes: Iterable<string>): Generator<string> {
  let lines: string[] = [];
  for (const code of codes) {
    lines.push(code);
    if (lines.length === codesAWrite) {
      yield `${lines.join('\n')}\n`;
      lines = [];
    }
  }
  if (lines.length > 0) yield `${lines.join('\n')}\n`;
}

/** Writes codes to standard output, as fast as they are read; a reader that goes away ends it. */
export async function writeCodes(key: Buffer, sessionId: string, count: number): Promise<void> {
  const codes = printableCodes(key, sessionId, count, randomBytes);
  try {
    // pipeline waits for a slow reader, so that a hundred million codes need no memory.
    await pipeline(Readable.from(inChunks(codes)), process.stdout);
  } catch (error) {
    // The reader, `head` say, has what it wanted.
    if ((error as NodeJS.ErrnoException).code !== 'EPIPE') throw error;
  }
}

async function main(): Promise<void> {
  try {
    const { sessionId, count } = parseCodesOptions(process.argv.slice(2));
    const key = readVotingCodeKey(placesIn(join(root, '.local')).secrets);
    await writeCodes(key, sessionId, count);
  } catch (error) {
    process.stderr.write(`${(error as Error).message}\n`);
    process.exitCode = 1;
  }
}

if (import.meta.main) await main();
