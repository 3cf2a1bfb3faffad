import type { Copies } from '#common/copies.ts';
import { ServiceError } from '#common/errors.ts';
import { keepSessionSecret } from '../sql/keep-session-secret.ts';
import type { KeepSecret } from './session-secrets.ts';

/**
 * Keeps secrets where a fail-over finds them again: with another secret every voter of the session
 * would have another vote id, and a second vote. Until the database's copies have it, no ballot is
 * made of it. Throws `not_ready` meanwhile, `session_closed` after the final result.
 */
export function keepSecretIn(copies: Copies): KeepSecret {
  return async (sessionId, offered) => {
    const standing = await copies
      .write((db) => keepSessionSecret(db, sessionId, offered))
      .catch((error: unknown) => {
        if (!(error instanceof ServiceError)) throw error;
        throw new ServiceError('not_ready', { retryAfterS: 2, cause: error });
      });
    if (standing === undefined) throw noBallotAfterFinal();
    return standing;
  };
}

/** The secret is gone: a ballot would be another voter's. */
export function noBallotAfterFinal(): ServiceError {
  return new ServiceError('session_closed', {
    message: 'The result is final and ballots are no more; your receipt speaks for your vote.',
  });
}
