import { type KeyObject, randomBytes } from 'node:crypto';
import { addressKey } from '#common/address-key.ts';
import { type Clock, toTimestamp } from '#common/clock.ts';
import { type Strength, signBallot } from '#common/contracts/ballot-token.ts';
import { type EligibilityPolicy, sessionState } from '#common/contracts/session.ts';
import { ServiceError } from '#common/errors.ts';
import type { SigningKey } from '#common/keys.ts';
import type { Counter } from '#common/metrics.ts';
import type { Limiter } from '../limit/limiter.ts';
import { limits } from '../limit/limits.ts';
import type { ListedSession } from '../session/session-list.ts';
import type { AccessClaims } from '../token/access-token.ts';
import { ballotExpiryS } from './ballot-expiry.ts';
import { noBallotAfterFinal } from './keep-secret.ts';
import type { VotingRegion } from './regions.ts';
import type { SessionSecrets } from './session-secrets.ts';
import { voteIdOf } from './vote-id.ts';
import { readCode } from './voting-code.ts';

export interface BallotDeps {
  readonly secrets: SessionSecrets;
  readonly limiter: Limiter;
  readonly clock: Clock;
  readonly ballotKey: SigningKey;
  readonly votingCodeKey: KeyObject;
  /** Own region first. */
  readonly regions: readonly VotingRegion[];
  readonly ballotsOpenedTotal: Counter;
}

/** Somebody who may vote, as the one policy that admits them says. */
interface Voter {
  readonly policy: EligibilityPolicy;
  readonly voterId: string;
  readonly acr: Strength;
}

/** The voter behind an access token. Throws `not_eligible`. */
export function voterByAccount(session: ListedSession, claims: AccessClaims): Voter {
  if (!session.eligibility.includes('account') || !claims.verified) {
    throw new ServiceError('not_eligible');
  }
  return { policy: 'account', voterId: claims.vid, acr: claims.acr };
}

/**
 * The voter behind a code. A right code always passes, whatever its neighbours behind one address
 * typed; wrong ones are limited. Throws `not_eligible`, `invalid_code`, `rate_limit_exceeded`.
 */
export async function voterByCode(
  deps: BallotDeps,
  session: ListedSession,
  typed: string,
  address: string,
): Promise<Voter> {
  if (!session.eligibility.includes('code')) throw new ServiceError('not_eligible');
  const serial = readCode(deps.votingCodeKey, session.session_id, typed);
  if (serial === undefined) {
    await deps.limiter.take(limits.codeAddress, addressKey(address));
    throw new ServiceError('invalid_code');
  }
  return { policy: 'code', voterId: serial, acr: 'code' };
}

/**
 * Signs a ballot: which vote may be cast, and not by whom. Needs no store once the session's secret
 * is here. A scheduled session gives ballots too: they are opened ahead of the rush. Throws
 * `session_closed` once the result is final.
 */
export async function openBallot(deps: BallotDeps, session: ListedSession, voter: Voter) {
  if (session.is_final) {
    deps.secrets.forget(session.session_id);
    throw noBallotAfterFinal();
  }
  const secret = await deps.secrets.get(session.session_id);
  const nowMs = deps.clock.now();
  const exp = ballotExpiryS(session, nowMs);
  const ballot = {
    vote_id: voteIdOf(secret, voter.policy, voter.voterId),
    session_id: session.session_id,
    jti: randomBytes(16).toString('base64url'),
    exp,
    acr: voter.acr,
    challenge: 'not_asked',
  } as const;
  deps.ballotsOpenedTotal.inc({ policy: voter.policy });
  return {
    ballot_token: signBallot(ballot, deps.ballotKey),
    expires_in: exp - Math.floor(nowMs / 1000),
    session: {
      session_id: session.session_id,
      title: session.title,
      state: sessionState(session, nowMs),
      opens_at: toTimestamp(session.opens_at_ms),
      version: session.version,
    },
    options: session.options,
    closes_at: toTimestamp(session.closes_at_ms),
    regions: deps.regions,
  };
}
