import { randomUUID } from 'node:crypto';
import { expect, test } from 'vitest';
import {
  assembleReceipt,
  type ReceiptFields,
  receiptLengthMax,
  signReceipt,
  verifyReceipt,
} from '#common/contracts/receipt.ts';
import { importPublicKeys } from '#common/keys.ts';
import { receiptVectors, vectorKey } from '../../../support/receipt-vectors.ts';
import { createSigningKey } from '../../../support/votes.ts';

const key = createSigningKey();
const older = createSigningKey();
const keys = importPublicKeys([key.publicJwk, older.publicJwk]);
const fields: ReceiptFields = {
  vote_id: randomUUID(),
  session_id: randomUUID(),
  commitment: Buffer.alloc(32, 7).toString('base64url'),
  acceptedAtMs: 1_800_000_000_123,
  region: 'us-east-1',
  partition: 7,
  offset: 42,
  durability: 'region',
};
const issue = (signer = key, changes: Partial<ReceiptFields> = {}): string =>
  assembleReceipt({ ...fields, ...changes }, signer.kid, signReceipt(fields, signer));

test('a receipt says what was signed', () => {
  const { acceptedAtMs, ...rest } = fields;
  const acceptedAt = new Date(acceptedAtMs).toISOString();
  expect(verifyReceipt(issue(), keys)).toEqual({ ...rest, accepted_at: acceptedAt });
});

test.each<[keyof ReceiptFields, Partial<ReceiptFields>]>([
  ['vote_id', { vote_id: randomUUID() }],
  ['session_id', { session_id: randomUUID() }],
  ['commitment', { commitment: Buffer.alloc(32, 8).toString('base64url') }],
  ['acceptedAtMs', { acceptedAtMs: fields.acceptedAtMs + 1 }],
  ['region', { region: 'us-west-2' }],
  ['partition', { partition: 8 }],
  ['offset', { offset: 43 }],
  ['durability', { durability: 'two-regions' }],
])('with another %s the signature is not good', (name, changes) => {
  expect(changes[name]).not.toBe(fields[name]);
  expect(verifyReceipt(issue(key, changes), keys)).toBeUndefined();
});

test('every field is one of those that were changed above', () => {
  expect(Object.keys(fields)).toHaveLength(8);
});

test('the same signature written otherwise is not that receipt', () => {
  const receipt = issue();
  // 64 bytes leave four spare bits in the last of 86 symbols.
  const last = receipt.at(-1)!;
  const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';
  const other = receipt.slice(0, -1) + alphabet[alphabet.indexOf(last) ^ 1]!;
  const bytesOf = (text: string) => Buffer.from(text.split('.')[2]!, 'base64url');
  expect(bytesOf(other)).toEqual(bytesOf(receipt));
  expect(verifyReceipt(other, keys)).toBeUndefined();
  expect(verifyReceipt(`${receipt}==`, keys)).toBeUndefined();
});

test('receipts of an older key are good while its public half is kept, and not after', () => {
  const receipt = issue(older);
  expect(verifyReceipt(receipt, keys)).toMatchObject({ vote_id: fields.vote_id });
  expect(verifyReceipt(receipt, importPublicKeys([key.publicJwk]))).toBeUndefined();
});

test("one key's signature under the other key's name is not good", () => {
  const forged = assembleReceipt(fields, key.kid, signReceipt(fields, older));
  expect(verifyReceipt(forged, keys)).toBeUndefined();
});

test.each([
  ['nothing', ''],
  ['two parts', 'a.b'],
  ['four parts', `${issue()}.more`],
  ['a part cut off', issue().slice(0, -4)],
  ['too long', `${issue()}${'A'.repeat(receiptLengthMax)}`],
])('%s is no receipt', (_, text) => {
  expect(verifyReceipt(text, keys)).toBeUndefined();
});

test.each(receiptVectors)('$name: $verdict, as every verifier says', ({ text, verdict }) => {
  const known = importPublicKeys([vectorKey.publicJwk]);
  expect(verifyReceipt(text, known) !== undefined).toBe(verdict === 'good');
});
