import { type Clock, toTimestamp } from '#common/clock.ts';
import type { Confirmation } from '#common/confirmation.ts';
import type { Ballot, BallotVerdict } from '#common/contracts/ballot-token.ts';
import type { ReceiptFields } from '#common/contracts/receipt.ts';
import { graceMs, type SessionMessage, sessionState } from '#common/contracts/session.ts';
import { encodeVoteRecord, voteRecordKey } from '#common/contracts/vote-submitted.ts';
import { jitteredRetryS, ServiceError } from '#common/errors.ts';
import type { PublicKeys } from '#common/keys.ts';
import { OutcomeUnknownError } from './batch-sender.ts';
import { choiceOf, type DoneClaim, decideByClaim } from './claim.ts';
import type { Claims } from './claims.ts';
import { NotSentError, type Place, type ProduceQueue, type Reservation } from './produce-queue.ts';
import type { KnownSession, Sessions } from './sessions.ts';
import { isIdempotencyKey, type VoteRequest } from './vote-request.ts';

/** Handed in, so that a simulation can run the same decisions with cheap stand-ins. */
export interface VoteCrypto {
  readonly verifyBallot: (
    token: string,
    keys: PublicKeys,
    nowS: number,
    graceS: number,
  ) => BallotVerdict;
  readonly confirm: (voteId: string, optionNo: number) => Confirmation;
  /** Throws when no signature can be made. */
  readonly signReceipt: (fields: ReceiptFields) => {
    readonly kid: string;
    readonly signature: Buffer;
  };
  readonly random8: () => Buffer;
}

export interface SubmitParts {
  readonly region: string;
  /** How far this machine's clock may be off now, ms. */
  readonly clockErrorMs: () => number;
  readonly crypto: VoteCrypto;
  readonly sessions: Sessions;
  readonly claims: Claims;
  readonly queue: ProduceQueue;
  readonly clock: Clock;
  readonly random: () => number;
  /**
   * False while nothing may be promised: the sessions topic is not read to its end, the clock is in
   * doubt, Kafka is not set as declared, the region was given up.
   */
  readonly isReady: () => boolean;
}

/** A request whose size and shape are right; nothing in it is believed yet. */
export interface Submitted {
  /** The ballot token; undefined when the request carried none. */
  readonly token: string | undefined;
  /** The voter's address as the edge tells it. */
  readonly address: string;
  readonly idempotencyKey: string;
  readonly vote: VoteRequest;
}

/** What a 201 says. */
export interface Accepted {
  readonly ballot: Ballot;
  readonly confirmation: Confirmation;
  readonly done: DoneClaim;
}

/** A submission that has passed every check that needs no store. */
interface Submission {
  readonly ballot: Ballot;
  readonly kid: string;
  readonly signature: Buffer;
  readonly optionNo: number;
  readonly address: string;
}

const retryS = 1;

/**
 * Takes one vote. In order, the cheap and certain before the costly: ballot → session open → option
 * → room in the queue → limits and claim in one round trip → Kafka, all in-sync replicas → receipt
 * signed. Throws a ServiceError: a refusal wrote nothing, `outcome_unknown` may have, and sending
 * the same choice again is always safe.
 */
export async function submitVote(parts: SubmitParts, submitted: Submitted): Promise<Accepted> {
  const submission = await check(parts, submitted);
  const place = parts.queue.reserve(submission.ballot.session_id);
  if (place === undefined) throw overloaded(parts);
  try {
    return await submitInto(place, parts, submission);
  } finally {
    place.release();
  }
}

async function submitInto(
  place: Reservation,
  parts: SubmitParts,
  submission: Submission,
): Promise<Accepted> {
  const { ballot, optionNo, address } = submission;
  const confirmation = parts.crypto.confirm(ballot.vote_id, optionNo);
  const choice = choiceOf(confirmation.commitment);
  const admission = await parts.claims.admit(address, ballot.vote_id, choice);
  if (admission.limited) throw limited(admission.retryMs);
  const decision = decideByClaim(admission.held, choice);
  switch (decision.act) {
    case 'refuse_duplicate':
      throw new ServiceError('duplicate_vote', {
        members: {
          existing_vote_id: ballot.vote_id,
          timestamp: toTimestamp(decision.acceptedAtMs),
        },
      });
    case 'refuse_in_progress':
      throw new ServiceError('vote_in_progress', { retryAfterS: retryS });
    case 'repeat':
      return { ballot, confirmation, done: decision.done };
    case 'produce': {
      const { commitment } = confirmation;
      const done = await record(place, parts, submission, commitment).catch((error: unknown) => {
        if (admission.pending !== undefined && wroteNothing(error)) {
          parts.claims.withdraw(ballot.vote_id, admission.pending);
        }
        throw error;
      });
      parts.claims.finish(ballot.vote_id, choice, done);
      return { ballot, confirmation, done };
    }
  }
}

/** Certain of it; anything unforeseen may have come after the record was sent. */
function wroteNothing(error: unknown): boolean {
  return error instanceof ServiceError && error.code !== 'outcome_unknown';
}

async function check(parts: SubmitParts, submitted: Submitted): Promise<Submission> {
  const { vote, address } = submitted;
  if (!isIdempotencyKey(submitted.idempotencyKey)) {
    throw new ServiceError('invalid_request', {
      message: 'Idempotency-Key must have 8 to 128 letters, digits, dashes or underscores.',
    });
  }
  requireReady(parts);
  const { ballot, kid, signature } = await checkBallot(parts, submitted);
  if (ballot.session_id !== vote.sessionId) throw new ServiceError('invalid_ballot');
  const session = openSession(parts, ballot);
  const optionNo = session.optionNos.get(vote.optionId);
  if (optionNo === undefined) throw new ServiceError('unknown_option');
  return { ballot, kid, signature, optionNo, address };
}

function requireReady(parts: SubmitParts): void {
  if (!parts.isReady()) throw notReady(parts);
}

async function checkBallot(
  parts: SubmitParts,
  { token, address }: Submitted,
): Promise<{ ballot: Ballot; kid: string; signature: Buffer }> {
  const nowS = parts.clock.now() / 1000;
  const verdict =
    token === undefined
      ? { ok: false as const, reason: 'no ballot' }
      : parts.crypto.verifyBallot(token, parts.sessions.ballotKeys, nowS, 0);
  if (verdict.ok) return verdict;
  const waitMs = await parts.claims.countStranger(address);
  if (waitMs > 0) throw limited(waitMs);
  throw new ServiceError('invalid_token', { cause: verdict.reason });
}

/** The session as it is known now: its closing time may have moved since it was last asked for. */
function findSession(parts: SubmitParts, ballot: Ballot): KnownSession {
  const session = parts.sessions.find(ballot.session_id);
  // Identity knows the session, so the topic will bring it: trouble, not a refusal.
  if (session === undefined) throw notReady(parts);
  return session;
}

/** The session, open by this machine's clock and its error. */
function openSession(parts: SubmitParts, ballot: Ballot): KnownSession {
  const session = findSession(parts, ballot);
  const { message } = session;
  const nowMs = parts.clock.now();
  if (sessionState(message, nowMs) === 'scheduled') {
    throw new ServiceError('session_not_open', {
      members: { opens_at: toTimestamp(message.opens_at_ms) },
    });
  }
  if (!isOpenAt(message, nowMs + parts.clockErrorMs())) throw closed(ballot);
  return session;
}

/** False once sealed, whatever the closing time: what comes behind a seal is late. */
function isOpenAt(session: SessionMessage, atMs: number): boolean {
  return (session.sealed_at_ms ?? null) === null && atMs <= session.closes_at_ms;
}

/** Why a record that is durable may all the same not count; undefined when it will. */
function whyNoPromise(
  parts: SubmitParts,
  ballot: Ballot,
  acceptedAtMs: number,
): string | undefined {
  // The clock that decides below may be in doubt, the topics old, the region given up on the way.
  if (!parts.isReady()) return 'acknowledged while nothing may be promised';
  const { message } = findSession(parts, ballot);
  // The closing was brought forward on the way.
  if (!isOpenAt(message, acceptedAtMs)) return 'accepted after closing, as is known now';
  // After the grace the session may be sealed: a 201 now could lie behind the seal.
  if (parts.clock.now() - parts.clockErrorMs() > message.closes_at_ms + graceMs) {
    return 'acknowledged after closing and grace';
  }
  return undefined;
}

/** Makes the vote durable and signs its receipt. */
async function record(
  reserved: Reservation,
  parts: SubmitParts,
  submission: Submission,
  commitment: string,
): Promise<DoneClaim> {
  const { ballot, kid, signature, optionNo } = submission;
  const acceptedAtMs = parts.clock.now();
  // The claim took time, and the process may have stood still: admission is decided by the time
  // that the record will carry, and by what is known of the session then.
  requireReady(parts);
  const { message } = findSession(parts, ballot);
  if (!isOpenAt(message, acceptedAtMs + parts.clockErrorMs())) throw closed(ballot);
  const sessionVersion = message.version;
  const vote = { ballot, sessionVersion, optionNo, acceptedAtMs, kid, signature };
  let place: Place;
  try {
    place = await reserved.append({
      key: voteRecordKey(ballot.session_id),
      value: encodeVoteRecord(vote),
    });
  } catch (error) {
    if (error instanceof NotSentError) throw overloaded(parts);
    if (!(error instanceof OutcomeUnknownError)) throw error;
    throw unknown(parts, error);
  }
  const reason = whyNoPromise(parts, ballot, acceptedAtMs);
  if (reason !== undefined) throw unknown(parts, reason);
  return sign(parts, ballot, commitment, { ...place, acceptedAtMs });
}

/** The vote is durable: without a signature its answer is unknown, never an unsigned 201. */
function sign(
  parts: SubmitParts,
  ballot: Ballot,
  commitment: string,
  recorded: Place & { readonly acceptedAtMs: number },
): DoneClaim {
  const { partition, offset, durability, acceptedAtMs } = recorded;
  const fields = { region: parts.region, partition, offset, durability, acceptedAtMs };
  const { vote_id, session_id } = ballot;
  try {
    const made = parts.crypto.signReceipt({ vote_id, session_id, commitment, ...fields });
    return { ...fields, ...made };
  } catch (error) {
    throw unknown(parts, error);
  }
}

function limited(waitMs: number): ServiceError {
  const retryAfterS = Math.max(1, Math.ceil(waitMs / 1000));
  return new ServiceError('rate_limit_exceeded', { retryAfterS });
}

function closed(ballot: Ballot): ServiceError {
  const members = { vote_id: ballot.vote_id, state: `/api/v1/votes/${ballot.vote_id}` };
  return new ServiceError('session_closed', { members });
}

function overloaded(parts: SubmitParts): ServiceError {
  return new ServiceError('overloaded', { retryAfterS: jitteredRetryS(retryS, parts.random) });
}

function notReady(parts: SubmitParts): ServiceError {
  return new ServiceError('not_ready', { retryAfterS: jitteredRetryS(retryS, parts.random) });
}

function unknown(parts: SubmitParts, cause: unknown): ServiceError {
  const retryAfterS = jitteredRetryS(retryS, parts.random);
  return new ServiceError('outcome_unknown', { retryAfterS, cause });
}
