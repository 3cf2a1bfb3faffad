import { generateKeyPairSync } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { dirname } from 'node:path';
import { parseSigningKey, type SigningKey } from '#common/keys.ts';
import { writeWhole } from '../write-whole.ts';

/** A person's key for signing acts. It never leaves the file's machine. */
export interface ApprovalKeyFile {
  readonly email: string;
  readonly key: SigningKey;
}

/**
 * The key in a file (0600), made when there is none. Throws an Error with one sentence when the
 * file is somebody else's.
 */
export async function ensureApprovalKey(path: string, email: string): Promise<ApprovalKeyFile> {
  if (!existsSync(path)) {
    const { privateKey } = generateKeyPairSync('ed25519');
    const jwk = privateKey.export({ format: 'jwk' });
    await mkdir(dirname(path), { recursive: true, mode: 0o700 });
    await writeWhole(path, `${JSON.stringify({ ...jwk, use: 'sig', email })}\n`, 0o600);
  }
  const kept = readApprovalKey(path);
  if (kept.email !== email) throw new Error(`The key in ${path} belongs to ${kept.email}.`);
  return kept;
}

/** Reads a key file. Throws an Error with one sentence that says what to do. */
export function readApprovalKey(path: string): ApprovalKeyFile {
  let content: string;
  try {
    content = readFileSync(path, 'utf8');
  } catch (cause) {
    throw new Error(`There is no key at ${path}: make one with npm run approve -- key.`, { cause });
  }
  try {
    const { email } = JSON.parse(content) as { email?: unknown };
    if (typeof email !== 'string') throw new Error('does not say whose key it is ("email")');
    return { email, key: parseSigningKey(content) };
  } catch (cause) {
    throw new Error(`The file ${path} ${(cause as Error).message}.`, { cause });
  }
}
