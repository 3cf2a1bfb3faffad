import { readFileSync } from 'node:fs';
import { createInterface } from 'node:readline/promises';
import { Writable } from 'node:stream';
import type { Login } from '../portal-client.ts';

/**
 * Whose password: from a file, else of those that the local stack knows, else asked for in the
 * terminal without showing it. Throws an Error that says what to do when there is no terminal.
 */
export async function loginOf(
  email: string,
  passwordFile: string | undefined,
  known: readonly Login[],
): Promise<Login> {
  if (passwordFile !== undefined) {
    return { email, password: readFileSync(passwordFile, 'utf8').trim() };
  }
  const found = known.find((login) => login.email === email);
  if (found !== undefined) return found;
  if (!process.stdin.isTTY) {
    throw new Error(`Give the password of ${email} with --password-file FILE.`);
  }
  process.stderr.write(`Password of ${email}: `);
  const silent = new Writable({ write: (_chunk, _encoding, done) => done() });
  const terminal = createInterface({ input: process.stdin, output: silent, terminal: true });
  try {
    return { email, password: await terminal.question('') };
  } finally {
    terminal.close();
    process.stderr.write('\n');
  }
}
