import { beforeEach, expect, test } from 'vitest';
import { createLog } from '#common/log.ts';
import { ensureFirstAdmins, type FirstAdmin } from '../../../admin-portal/api/first-admins.ts';
import { PasswordHasher } from '../../../admin-portal/api/password.ts';
import { createTestDatabase } from '../../support/database.ts';

const anna = { email: 'anna@vote.example', password: 'a long enough password' };
const ben = { email: 'ben@vote.example', password: 'another long password' };
const carol = { email: 'carol@vote.example', password: 'a third long password' };

const database = await createTestDatabase();
const superuser = database.pool('postgres');
const passwords = new PasswordHasher(Math.random);
const said: { level: string; msg: string }[] = [];
const log = createLog({ service: 'portal' }, 'info', {
  write: (line) => void said.push(JSON.parse(line)),
});
/** As two portals have them. */
const one = { pool: database.pool('portal'), passwords, log };
const other = { pool: database.pool('portal'), passwords, log };

beforeEach(async () => {
  said.length = 0;
  await superuser.query('TRUNCATE portal.admins');
});

function warnings(): string[] {
  return said.filter(({ level }) => level === 'warn').map(({ msg }) => msg);
}

/** Each address, and whether nobody made its account. */
async function accounts() {
  const { rows } = await superuser.query<{ email: string; is_first: boolean }>(
    'SELECT email, made_by IS NULL AS is_first FROM portal.admins ORDER BY email',
  );
  return rows.map(({ email, is_first }) => [email, is_first]);
}

async function hashOf({ email }: FirstAdmin): Promise<string | undefined> {
  const { rows } = await superuser.query<{ password_hash: string }>(
    'SELECT password_hash FROM portal.admins WHERE email = $1',
    [email],
  );
  return rows[0]?.password_hash;
}

test('two portals that start together make each first admin once', async () => {
  await Promise.all([ensureFirstAdmins(one, [anna, ben]), ensureFirstAdmins(other, [anna, ben])]);
  expect(await accounts()).toEqual([
    [anna.email, true],
    [ben.email, true],
  ]);
  for (const person of [anna, ben]) {
    expect(await passwords.verify(person.password, await hashOf(person))).toBe(true);
  }
  expect(warnings()).toEqual([]);
});

test('one alone is made and warned about; a file that names one more later adds it', async () => {
  await ensureFirstAdmins(one, [anna]);
  expect(await accounts()).toEqual([[anna.email, true]]);
  expect(warnings()).toEqual([expect.stringContaining('one first admin alone')]);
  await ensureFirstAdmins(one, [anna, ben]);
  expect(await accounts()).toEqual([
    [anna.email, true],
    [ben.email, true],
  ]);
  expect(warnings()).toHaveLength(1);
});

test('who is there keeps his password, and stays when the file names others', async () => {
  await ensureFirstAdmins(one, [anna, ben]);
  const before = await hashOf(anna);
  await ensureFirstAdmins(one, [{ ...anna, password: 'some other password' }, carol]);
  expect(await hashOf(anna)).toBe(before);
  expect((await accounts()).map(([email]) => email)).toEqual([anna.email, ben.email, carol.email]);
  await ensureFirstAdmins(one, [anna]);
  expect(warnings()).toEqual([]);
});

test('an account that another admin made becomes no first one by standing in the file', async () => {
  await ensureFirstAdmins(one, [anna]);
  await superuser.query(
    `INSERT INTO portal.admins (email, password_hash, role, made_by)
     SELECT $1, 'x', 'admin', admin_id FROM portal.admins`,
    [ben.email],
  );
  await ensureFirstAdmins(one, [anna, ben]);
  expect(await accounts()).toEqual([
    [anna.email, true],
    [ben.email, false],
  ]);
  expect(warnings().slice(1)).toEqual([
    expect.stringContaining('made by another admin'),
    expect.stringContaining('one first admin alone'),
  ]);
});
