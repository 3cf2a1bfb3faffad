// npm run -s receipt -- verify FILE: is this receipt genuine, and what does it say? Asks nobody.

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { parsePublicJwks } from '#common/keys.ts';
import { placesIn } from '../places.ts';
import { root } from '../tools.ts';
import { describeReceipt, judgeReceipt } from './receipt-verdict.ts';

const usage = `Usage: npm run -s receipt -- verify FILE [--jwks FILE]
  FILE          the receipt, as the page saves it; - reads standard input
  --jwks FILE   public keys to trust (/.well-known/jwks.json); default: those of the stack here`;

/** Reads the command line. Throws an Error with one sentence and the usage. */
export function parseReceiptOptions(args: readonly string[]): {
  readonly file: string;
  readonly jwks: string | undefined;
} {
  try {
    const { values, positionals } = parseArgs({
      args: [...args],
      allowPositionals: true,
      options: { jwks: { type: 'string' } },
    });
    const [verb, file, more] = positionals;
    if (verb !== 'verify') throw new Error(`say verify, not "${verb ?? ''}"`);
    if (file === undefined) throw new Error('FILE is missing');
    if (more !== undefined) throw new Error(`one receipt at a time; "${more}" is too many`);
    return { file, jwks: values.jwks };
  } catch (error) {
    const reason = error instanceof Error ? error.message.split('. ')[0] : String(error);
    throw new Error(`${reason}.\n${usage}`, { cause: error });
  }
}

function readKeys(path: string): ReturnType<typeof parsePublicJwks> {
  let content: string;
  try {
    content = readFileSync(path, 'utf8');
  } catch (cause) {
    throw new Error(`The keys in ${path} cannot be read: give a JWKS by --jwks.`, { cause });
  }
  try {
    return parsePublicJwks(content);
  } catch (cause) {
    throw new Error(`The file ${path} ${(cause as Error).message}.`, { cause });
  }
}

function main(): void {
  try {
    const { file, jwks } = parseReceiptOptions(process.argv.slice(2));
    const ours = join(placesIn(join(root, '.local')).secrets, 'receipt-jwks.json');
    const keys = readKeys(jwks ?? ours);
    const verdict = judgeReceipt(readFileSync(file === '-' ? 0 : file, 'utf8'), keys);
    process.stdout.write(describeReceipt(verdict));
    if (verdict.kind !== 'genuine') process.exitCode = 1;
  } catch (error) {
    process.stderr.write(`${(error as Error).message}\n`);
    // Apart from "not genuine": nothing was said about the receipt.
    process.exitCode = 2;
  }
}

if (import.meta.main) main();
