import type { ActSignature } from '#common/contracts/act.ts';
import type { Db } from '#common/copies.ts';

type SigningOutcome = 'agreed' | 'agreed_before' | 'waiting' | 'signed_before';

/**
 * Writes a verified signature; the second person's carries the act out in the same transaction.
 * Rejects with SQLSTATE VT409 and a sentence when that is refused.
 */
export async function writeSignature(
  db: Db,
  hash: string,
  adminId: string,
  { kid, signature }: ActSignature,
): Promise<SigningOutcome> {
  const { rows } = await db.query<{ outcome: SigningOutcome }>(
    'SELECT votes.sign_act($1, $2, $3, $4) AS outcome',
    [Buffer.from(hash, 'hex'), adminId, kid, Buffer.from(signature, 'base64url')],
  );
  return rows[0]!.outcome;
}
