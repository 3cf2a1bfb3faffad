import { mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { parsePublicJwks, parseSigningKey, parseSymmetricKey } from '#common/keys.ts';
import { parseFirstAdmins } from '../../admin-portal/api/first-admins.ts';
import { makeSecrets } from '../../local/secrets.ts';

let folder: string;
beforeEach(async () => {
  folder = join(await mkdtemp(join(tmpdir(), 'vote-secrets-')), 'secrets');
});
afterEach(() => rm(join(folder, '..'), { recursive: true }));

test('the folder and every file in it are for their owner alone', async () => {
  await makeSecrets(folder, ['us-east-1']);
  expect((await stat(folder)).mode & 0o777).toBe(0o700);
  for (const name of await readdir(folder)) {
    expect((await stat(join(folder, name))).mode & 0o777, name).toBe(0o600);
  }
});

test('every key is one that the services can read', async () => {
  const { files, receiptKeys, sealKeys } = await makeSecrets(folder, ['us-east-1', 'us-west-2']);
  const read = (path = ''): Promise<string> => readFile(path, 'utf8').then((text) => text.trim());
  for (const key of ['BALLOT', 'ACCESS']) {
    const content = await read(files[`VOTE_${key}_KEY_FILE`]);
    expect(parseSigningKey(content).kid).toBe(JSON.parse(content).kid);
  }
  for (const key of ['CONFIRMATION', 'VOTING_CODE', 'VOTER_ID', 'WRAPPING']) {
    expect(parseSymmetricKey(await read(files[`VOTE_${key}_KEY_FILE`]))).toHaveLength(32);
  }
  expect((await read(files['VOTE_ORIGIN_SECRET_FILE'])).split('\n')).toHaveLength(2);
  const published = parsePublicJwks(await read(files['VOTE_RECEIPT_JWKS_FILE']));
  const kids = await Promise.all(
    Object.values(receiptKeys).map(async (path) => parseSigningKey(await read(path)).kid),
  );
  expect(published.map(({ kid }) => kid)).toEqual(kids);
  for (const path of Object.values(sealKeys)) {
    expect(kids).not.toContain(parseSigningKey(await read(path)).kid);
  }
  expect(await read(files['VOTE_RECEIPT_JWKS_FILE'])).not.toContain('"d"');
});

describe('the first admins', () => {
  const kept = async (path = '') => parseFirstAdmins(await readFile(path, 'utf8'));

  test('are two, each with a password of their own that is hard to guess', async () => {
    const { files, admin, second } = await makeSecrets(folder, ['us-east-1']);
    expect([admin.email, second.email]).toEqual(['admin@vote.localhost', 'notary@vote.localhost']);
    expect(admin.password.length).toBeGreaterThanOrEqual(16);
    expect(second.password.length).toBeGreaterThanOrEqual(16);
    expect(second.password).not.toBe(admin.password);
    expect(await kept(files['VOTE_ADMIN_BOOTSTRAP_FILE'])).toEqual([admin, second]);
  });

  const old = { email: 'admin@vote.localhost', password: 'known since 0.1.0' };
  const other = { email: 'boss@vote.localhost', password: 'written by hand' };
  test.each<[string, unknown, typeof old, string]>([
    ['one person, as 0.1.0 wrote', old, old, 'notary@vote.localhost'],
    ['a list of one', [other], other, 'admin@vote.localhost'],
    ['two', [other, old], other, 'admin@vote.localhost'],
  ])('a file of %s keeps them and is filled up to two', async (_case, content, first, email) => {
    await mkdir(folder, { recursive: true });
    await writeFile(join(folder, 'admin-bootstrap.json'), JSON.stringify(content));
    const { files, admin, second } = await makeSecrets(folder, ['us-east-1']);
    expect([admin, second.email]).toEqual([first, email]);
    expect(await kept(files['VOTE_ADMIN_BOOTSTRAP_FILE'])).toEqual([admin, second]);
  });
});

test('a second start leaves the secrets alone, a new region adds its own', async () => {
  const first = await makeSecrets(folder, ['us-east-1']);
  const before = await readFile(first.files['VOTE_WRAPPING_KEY_FILE'] ?? '', 'utf8');
  const second = await makeSecrets(folder, ['us-east-1', 'us-west-2']);
  expect(await readFile(second.files['VOTE_WRAPPING_KEY_FILE'] ?? '', 'utf8')).toBe(before);
  expect([second.admin, second.second]).toEqual([first.admin, first.second]);
  expect(Object.keys(second.receiptKeys)).toEqual(['us-east-1', 'us-west-2']);
});

test('receipts of a region that does not run now, and of a key exchanged since, stay genuine', async () => {
  const { files, receiptKeys } = await makeSecrets(folder, ['us-east-1', 'us-west-2']);
  const path = files['VOTE_RECEIPT_JWKS_FILE'] ?? '';
  const kids = async () => parsePublicJwks(await readFile(path, 'utf8')).map(({ kid }) => kid);
  const before = await kids();
  await rm(receiptKeys['us-east-1'] ?? '');
  await makeSecrets(folder, ['us-east-1']);
  expect((await kids()).slice(1).toSorted()).toEqual(before.toSorted());
  expect(new Set(await kids()).size).toBe(3);
});
