import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import {
  brokersKey,
  ConfigError,
  choiceKey,
  defineConfig,
  integerKey,
  loadConfig,
  printConfig,
  secretFileKey,
  textKey,
  urlKey,
} from '#common/config.ts';
import { parseSymmetricKey } from '#common/keys.ts';

const folder = mkdtempSync(join(tmpdir(), 'vote-config-'));
const keyFile = join(folder, 'key');
writeFileSync(keyFile, Buffer.alloc(32, 7).toString('base64url'));

const spec = defineConfig({
  region: textKey('VOTE_REGION', 'Where.'),
  port: integerKey('VOTE_PORT', 'Port.', { min: 1, max: 65_535 }),
  level: choiceKey('VOTE_LEVEL', 'Level.', ['info', 'warn'], { fallback: 'info' }),
  database: urlKey('VOTE_DATABASE', 'Database.', ['postgres']),
  brokers: brokersKey('VOTE_BROKERS', 'Brokers.'),
  key: secretFileKey('VOTE_KEY_FILE', 'Key.', parseSymmetricKey),
});
const good = {
  VOTE_REGION: 'us-east-1',
  VOTE_PORT: '8080',
  VOTE_DATABASE: 'postgres://ledger:geheim@db:5432/vote',
  VOTE_BROKERS: 'a:9092, b:9092',
  VOTE_KEY_FILE: keyFile,
  PATH: '/bin',
};

function faults(env: Record<string, string | undefined>): readonly string[] {
  try {
    loadConfig(spec, env);
    return [];
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    return error.faults;
  }
}

test('gives typed values, and nobody can change them', () => {
  const config = loadConfig(spec, good);
  expect(config).toMatchObject({ port: 8080, level: 'info', brokers: ['a:9092', 'b:9092'] });
  expect(config.key).toEqual(Buffer.alloc(32, 7));
  expect(Object.isFrozen(config)).toBe(true);
});

test('names every fault at once: missing, malformed, unknown', () => {
  const { VOTE_REGION: _, ...without } = good;
  expect(
    faults({ ...without, VOTE_PORT: '0', VOTE_LEVEL: 'loud', VOTE_PROT: '1', VOTE_BROKERS: 'a' }),
  ).toEqual([
    'VOTE_REGION is missing: Where.',
    'VOTE_PORT must be a whole number from 1 to 65535, not "0"',
    'VOTE_LEVEL must be one of info, warn',
    'VOTE_BROKERS must be host:port, several separated by commas',
    'VOTE_PROT is not a key of this service: remove it or correct its spelling',
  ]);
});

test('says which file of a secret cannot be used, and never what is in it', () => {
  expect(faults({ ...good, VOTE_KEY_FILE: '/nowhere' })).toEqual([
    'VOTE_KEY_FILE names a file that cannot be read: /nowhere',
  ]);
  const short = join(folder, 'short');
  writeFileSync(short, 'c2hvcnQ');
  const [fault] = faults({ ...good, VOTE_KEY_FILE: short });
  expect(fault).toContain('does not hold a key of at least 32 bytes');
  expect(fault).not.toContain('c2hvcnQ');
});

test('prints what is in force without secrets and passwords', () => {
  const printed = printConfig(spec, good);
  expect(printed).toContain('VOTE_DATABASE=postgres://ledger:***@db:5432/vote');
  expect(printed).toContain('VOTE_LEVEL=info  # default');
  expect(printed).toContain(`VOTE_KEY_FILE=(secret from ${keyFile})`);
  expect(printed).not.toMatch(/geheim|BwcHBw/);
});

test('a key declared twice is a mistake of the program', () => {
  const twice = { a: textKey('VOTE_A', 'A.'), b: textKey('VOTE_A', 'B.') };
  expect(() => defineConfig(twice)).toThrow('VOTE_A is declared twice');
});
