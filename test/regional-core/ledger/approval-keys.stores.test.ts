import { randomUUID } from 'node:crypto';
import { expect, test } from 'vitest';
import { actBody, actHash, signAct, verifyAgreement } from '#common/contracts/act.ts';
import type { SigningKey } from '#common/keys.ts';
import { readApprovalKeys } from '../../../regional-core/ledger/sql/read-keys.ts';
import { createTestDatabase } from '../../support/database.ts';
import { createSigningKey } from '../../support/votes.ts';

const database = await createTestDatabase();
const admin = database.pool('postgres');
const body = actBody({ act: 'declare_lost', region: 'us-east-1', epoch: 1 });

interface Person {
  readonly id: string;
  readonly key: SigningKey;
}

/** Somebody with a key; `maker` is null for a first admin, undefined for somebody of no account. */
async function person(maker: Person | null | undefined): Promise<Person> {
  const { id, key } = { id: randomUUID(), key: createSigningKey() };
  if (maker !== undefined) {
    await admin.query(
      `INSERT INTO portal.admins (admin_id, email, password_hash, role, made_by)
       VALUES ($1, $2, '', 'admin', $3)`,
      [id, `${id}@vote.example`, maker?.id ?? null],
    );
  }
  await admin.query('INSERT INTO votes.approval_keys (kid, x, admin_id) VALUES ($1, $2, $3)', [
    key.kid,
    key.publicJwk.x,
    id,
  ]);
  return { id, key };
}

/** What the ledger says of a statement in the log that these two signed. */
async function verdict(...signers: readonly Person[]) {
  const keys = await readApprovalKeys(database.pool('ledger'));
  const signatures = signers.map(({ key }) => signAct(body, key));
  return verifyAgreement(actHash(body), signatures, keys);
}

test('who signed a statement in the log are two when two first admins stand behind them', async () => {
  const [anna, ben, nobody] = [await person(null), await person(null), await person(undefined)];
  const [carol, dora] = [await person(anna), await person(anna)];
  const erik = await person(ben);
  for (const [one, other] of [
    [anna, ben],
    [carol, ben],
    [dora, erik],
  ] as const) {
    expect(await verdict(one, other)).toEqual({ ok: true });
  }
  for (const [one, other] of [
    [anna, carol],
    [carol, dora],
  ] as const) {
    expect(await verdict(one, other)).toEqual({ ok: false, reason: 'same_person' });
  }
  expect(await verdict(anna, nobody)).toEqual({ ok: false, reason: 'unknown_key' });
});
