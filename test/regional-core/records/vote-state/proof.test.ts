import { createSecretKey, randomBytes } from 'node:crypto';
import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { confirm } from '#common/confirmation.ts';
import { assembleReceipt, signReceipt } from '#common/contracts/receipt.ts';
import { importPublicKeys } from '#common/keys.ts';
import { isCodeOf, readProof } from '../../../../regional-core/records/vote-state/proof.ts';
import { createSigningKey } from '../../../support/votes.ts';

const signer = createSigningKey();
const keys = importPublicKeys([signer.publicJwk]);
const voteId = '0d1f6c1e-8f3a-8abc-9def-0123456789ab';
const fields = {
  vote_id: voteId,
  session_id: '3b241101-e2bb-4255-8caf-4136c566a962',
  commitment: 'x',
  acceptedAtMs: 1_900_000_000_000,
  region: 'us-east-1',
  partition: 1,
  offset: 7,
  durability: 'single',
} as const;
const token = assembleReceipt(fields, signer.kid, signReceipt(fields, signer));

test('a signed receipt of this vote is a proof', () => {
  expect(readProof(token, voteId, keys)).toMatchObject({
    kind: 'receipt',
    receipt: { region: 'us-east-1', partition: 1, offset: 7 },
  });
});

test('a receipt of another vote, or of an unknown key, proves nothing', () => {
  expect(readProof(token, fields.session_id, keys)).toBeUndefined();
  expect(
    readProof(token, voteId, importPublicKeys([createSigningKey().publicJwk])),
  ).toBeUndefined();
});

test('a receipt with any character changed proves nothing', () => {
  fc.assert(
    fc.property(fc.nat(token.length - 1), fc.constantFrom(...'AZaz09-_.'), (at, character) => {
      const changed = token.slice(0, at) + character + token.slice(at + 1);
      const proof = readProof(changed, voteId, keys);
      // Bits past the last byte of a base64url part are not read.
      expect(proof === undefined || changed === token || at === token.length - 1).toBe(true);
    }),
  );
});

test('no text makes it throw', () => {
  fc.assert(
    fc.property(fc.string(), (text) => {
      readProof(text, voteId, keys);
    }),
  );
});

test('a code is read however it was typed, and fits its own vote and option alone', () => {
  const key = createSecretKey(randomBytes(32));
  const { code } = confirm(key, voteId, 3);
  const typed = ` ${code.toLowerCase().replace('-', ' ')}`;
  const proof = readProof(typed, voteId, keys);
  expect(proof).toMatchObject({ kind: 'code' });
  const symbols = proof?.kind === 'code' ? proof.code : '';
  expect(isCodeOf(symbols, key, voteId, 3)).toBe(true);
  expect(isCodeOf(symbols, key, voteId, 4)).toBe(false);
  expect(isCodeOf(symbols, key, fields.session_id, 3)).toBe(false);
});

test.each(['', 'ABCDE', 'ABCDE-FGHJK-M', 'ABCDE-FGHJU'])('%j is no code', (text) => {
  expect(readProof(text, voteId, keys)).toBeUndefined();
});
