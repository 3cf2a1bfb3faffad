import { type KeyObject, randomBytes } from 'node:crypto';
import { confirm } from '#common/confirmation.ts';
import { verifyBallot } from '#common/contracts/ballot-token.ts';
import { signReceipt } from '#common/contracts/receipt.ts';
import type { SigningKey } from '#common/keys.ts';
import type { VoteCrypto } from './submit-vote.ts';

/**
 * The cryptography of production.
 *
 * @param receiptKey the key in force at the moment of signing; throws when there is none
 */
export function createVoteCrypto(
  confirmationKey: KeyObject,
  receiptKey: () => SigningKey,
): VoteCrypto {
  return {
    verifyBallot,
    confirm: (voteId, optionNo) => confirm(confirmationKey, voteId, optionNo),
    signReceipt: (fields) => {
      const key = receiptKey();
      return { kid: key.kid, signature: signReceipt(fields, key) };
    },
    random8: () => randomBytes(8),
  };
}
