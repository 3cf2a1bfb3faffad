import { generateKeyPairSync, randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { chmod, mkdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type PublicJwk, parsePublicJwks, parseSigningKey } from '#common/keys.ts';
import type { Login } from './portal-client.ts';
import { writeWhole } from './write-whole.ts';

/** Where each secret lies, by the configuration key that names the file. */
export interface Secrets {
  readonly files: Readonly<Record<string, string>>;
  /** Region name → its receipt key. */
  readonly receiptKeys: Readonly<Record<string, string>>;
  /** Region name → the key by which its ledgers seal. */
  readonly sealKeys: Readonly<Record<string, string>>;
  /** The portal's first admins: two, so that two people can decide. */
  readonly admin: Login;
  readonly second: Login;
}

const firstAdminEmails = ['admin@vote.localhost', 'notary@vote.localhost'] as const;

const symmetric = {
  VOTE_CONFIRMATION_KEY_FILE: 'confirmation-key',
  VOTE_VOTING_CODE_KEY_FILE: 'voting-code-key',
  VOTE_VOTER_ID_KEY_FILE: 'voter-id-key',
  VOTE_WRAPPING_KEY_FILE: 'wrapping-key',
};

/**
 * Makes what is missing of the local stack's secrets (files 0600 in a folder 0700) and leaves alone
 * what is there: the data of earlier runs was made with them.
 */
export async function makeSecrets(folder: string, regions: readonly string[]): Promise<Secrets> {
  await mkdir(folder, { recursive: true, mode: 0o700 });
  await chmod(folder, 0o700);
  const file = (name: string): string => join(folder, name);
  const once = async (name: string, make: () => string): Promise<string> => {
    if (!existsSync(file(name))) await writeWhole(file(name), `${make()}\n`, 0o600);
    return file(name);
  };
  const files: Record<string, string> = {
    // The line in force, then the one that a rotation brings next; an origin accepts both.
    VOTE_ORIGIN_SECRET_FILE: await once('origin-secret', () => `${random()}\n${random()}`),
    VOTE_BALLOT_KEY_FILE: await once('ballot-key.jwk', newSigningKey),
    VOTE_ACCESS_KEY_FILE: await once('access-key.jwk', newSigningKey),
    VOTE_ADMIN_BOOTSTRAP_FILE: file('admin-bootstrap.json'),
  };
  for (const [key, name] of Object.entries(symmetric)) files[key] = await once(name, random);
  const receiptKeys: Record<string, string> = {};
  const sealKeys: Record<string, string> = {};
  for (const region of regions) {
    sealKeys[region] = await once(`seal-key-${region}.jwk`, newSigningKey);
    receiptKeys[region] = await once(`receipt-key-${region}.jwk`, newSigningKey);
  }
  files['VOTE_RECEIPT_JWKS_FILE'] = file('receipt-jwks.json');
  await writeWhole(
    file('receipt-jwks.json'),
    await publicParts(receiptKeys, await knownJwks(file('receipt-jwks.json'))),
    0o600,
  );
  const [admin, second] = await makeFirstAdmins(file('admin-bootstrap.json'));
  return { files, receiptKeys, sealKeys, admin, second };
}

/** Keeps whom the file names and adds who is missing; 0.1.0 wrote one person, not in a list. */
async function makeFirstAdmins(path: string): Promise<readonly [Login, Login]> {
  const kept: Login | Login[] = existsSync(path) ? JSON.parse(await readFile(path, 'utf8')) : [];
  const people = [kept].flat();
  const keptCount = people.length;
  for (const email of firstAdminEmails) {
    if (people.length >= 2 || people.some((person) => person.email === email)) continue;
    people.push({ email, password: randomBytes(12).toString('base64url') });
  }
  const [admin, second] = people as [Login, Login];
  if (people.length > keptCount) await writeWhole(path, `${JSON.stringify(people)}\n`, 0o600);
  return [admin, second];
}

function random(): string {
  return randomBytes(32).toString('base64url');
}

function newSigningKey(): string {
  const { privateKey } = generateKeyPairSync('ed25519');
  const jwk = privateKey.export({ format: 'jwk' });
  const { kid } = parseSigningKey(JSON.stringify(jwk));
  return JSON.stringify({ ...jwk, kid, alg: 'EdDSA', use: 'sig' });
}

/** The receipt keys of earlier runs: of a region that does not run now, or exchanged since. */
async function knownJwks(path: string): Promise<PublicJwk[]> {
  return existsSync(path) ? parsePublicJwks(await readFile(path, 'utf8')) : [];
}

/** The keys that sign now, then those known before: what they signed stays genuine. */
async function publicParts(
  receiptKeys: Readonly<Record<string, string>>,
  known: readonly PublicJwk[],
): Promise<string> {
  const contents = await Promise.all(
    Object.values(receiptKeys).map((path) => readFile(path, 'utf8')),
  );
  const current = contents.map((content) => parseSigningKey(content).publicJwk);
  const byId = new Map([...current, ...known].map((key) => [key.kid, key]));
  const keys = [...byId.values()].map((key) => ({ ...key, alg: 'EdDSA', use: 'sig' }));
  return `${JSON.stringify({ keys }, null, 2)}\n`;
}
