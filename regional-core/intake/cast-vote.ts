import type { KeyObject } from 'node:crypto';
import type { Context } from 'koa';
import { type Clock, toTimestamp } from '#common/clock.ts';
import { confirm } from '#common/confirmation.ts';
import { type Ballot, verifyBallot } from '#common/contracts/ballot-token.ts';
import {
  assembleReceipt,
  type Durability,
  type ReceiptFields,
  signReceipt,
} from '#common/contracts/receipt.ts';
import { graceMs, sessionState } from '#common/contracts/session.ts';
import { encodeVoteRecord, voteRecordKey } from '#common/contracts/vote-submitted.ts';
import { jitteredRetryS, ServiceError } from '#common/errors.ts';
import { bearerToken, readJson, viewerAddress } from '#common/http.ts';
import type { SigningKey } from '#common/keys.ts';
import { choiceOf, type DoneClaim, decideByClaim } from './claim.ts';
import type { Claims } from './claims.ts';
import {
  NotSentError,
  OutcomeUnknownError,
  type Place,
  type ProduceQueue,
  type Reservation,
} from './produce-queue.ts';
import type { KnownSession, Sessions } from './sessions.ts';
import { isIdempotencyKey, parseVoteRequest, voteBodyBytesMax } from './vote-request.ts';

export interface CastVoteParts {
  readonly region: string;
  readonly durability: Durability;
  /** How far this machine's clock may be off, ms. */
  readonly clockErrorMs: number;
  readonly confirmationKey: KeyObject;
  readonly receiptKey: SigningKey;
  readonly sessions: Sessions;
  readonly claims: Claims;
  readonly queue: ProduceQueue;
  readonly clock: Clock;
  readonly random: () => number;
  /** False while the sessions topic has not been read to its end, or no longer is. */
  readonly isReady: () => boolean;
}

/** A submission that has passed every check that needs no store. */
interface Submission {
  readonly ballot: Ballot;
  readonly kid: string;
  readonly signature: Buffer;
  readonly session: KnownSession;
  readonly optionNo: number;
  readonly address: string;
}

const retryS = 1;
const acceptedMessage =
  'Your vote is recorded. If you voted more than once, your earliest choice counts.';

/**
 * `POST /api/v1/votes`. In order, the cheap and certain before the costly: size and shape → ballot
 * → session open → option → room in the queue → limits and claim in one round trip → Kafka, all
 * in-sync replicas → receipt signed → 201. What is refused wrote nothing; what is not answered is
 * unknown, and sending the same choice again is always safe.
 */
export function castVote(parts: CastVoteParts): (context: Context) => Promise<void> {
  return async (context) => {
    const submission = await readSubmission(parts, context);
    const place = parts.queue.reserve();
    if (place === undefined) throw overloaded(parts);
    try {
      await castInto(place, parts, submission, context);
    } finally {
      place.release();
    }
  };
}

async function castInto(
  place: Reservation,
  parts: CastVoteParts,
  submission: Submission,
  context: Context,
): Promise<void> {
  const { ballot, optionNo, address } = submission;
  const confirmation = confirm(parts.confirmationKey, ballot.vote_id, optionNo);
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
      return answer(context, ballot, confirmation, decision.done);
    case 'produce': {
      const done = await record(place, parts, submission, confirmation.commitment);
      parts.claims.finish(ballot.vote_id, choice, done);
      return answer(context, ballot, confirmation, done);
    }
  }
}

async function readSubmission(parts: CastVoteParts, context: Context): Promise<Submission> {
  const request = parseVoteRequest(await readJson(context, voteBodyBytesMax));
  if ('wrong' in request) {
    throw new ServiceError('invalid_request', {
      message: `"${request.wrong}" is not as expected.`,
    });
  }
  if (!isIdempotencyKey(context.get('idempotency-key'))) {
    throw new ServiceError('invalid_request', {
      message: 'Idempotency-Key must have 8 to 128 letters, digits, dashes or underscores.',
    });
  }
  if (!parts.isReady()) throw notReady(parts);
  const address = viewerAddress(context);
  const verdict = await checkBallot(parts, context, address);
  const { ballot } = verdict;
  if (ballot.session_id !== request.sessionId) throw new ServiceError('invalid_ballot');
  const session = openSession(parts, ballot);
  const optionNo = session.optionNos.get(request.optionId);
  if (optionNo === undefined) throw new ServiceError('unknown_option');
  return { ballot, kid: verdict.kid, signature: verdict.signature, session, optionNo, address };
}

async function checkBallot(
  parts: CastVoteParts,
  context: Context,
  address: string,
): Promise<{ ballot: Ballot; kid: string; signature: Buffer }> {
  const nowS = parts.clock.now() / 1000;
  let reason: unknown;
  try {
    const verdict = verifyBallot(bearerToken(context), parts.sessions.ballotKeys, nowS, 0);
    if (verdict.ok) return verdict;
    reason = verdict.reason;
  } catch (error) {
    reason = error;
  }
  const waitMs = await parts.claims.countStranger(address);
  if (waitMs > 0) throw limited(waitMs);
  throw new ServiceError('invalid_token', { cause: reason });
}

/** The session, open by this machine's clock and its error. */
function openSession(parts: CastVoteParts, ballot: Ballot): KnownSession {
  const session = parts.sessions.find(ballot.session_id);
  // Identity knows the session, so the topic will bring it: trouble, not a refusal.
  if (session === undefined) throw notReady(parts);
  const { message } = session;
  const nowMs = parts.clock.now();
  if (sessionState(message, nowMs) === 'scheduled') {
    throw new ServiceError('session_not_open', {
      members: { opens_at: toTimestamp(message.opens_at_ms) },
    });
  }
  if (nowMs + parts.clockErrorMs > message.closes_at_ms) throw closed(ballot);
  return session;
}

/** Makes the vote durable and signs its receipt. */
async function record(
  reserved: Reservation,
  parts: CastVoteParts,
  submission: Submission,
  commitment: string,
): Promise<DoneClaim> {
  const { ballot, kid, signature, session, optionNo } = submission;
  const acceptedAtMs = parts.clock.now();
  // The claim took time: admission is decided by the time that the record will carry.
  if (acceptedAtMs + parts.clockErrorMs > session.message.closes_at_ms) throw closed(ballot);
  const sessionVersion = session.message.version;
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
  // After the grace the session may be sealed: a 201 now could lie behind the seal.
  if (parts.clock.now() - parts.clockErrorMs > session.message.closes_at_ms + graceMs) {
    throw unknown(parts, 'acknowledged after closing and grace');
  }
  const { region, durability, receiptKey } = parts;
  const { partition, offset } = place;
  const fields = { region, partition, offset, durability, acceptedAtMs };
  const receiptSignature = signReceipt({ ...identify(ballot), commitment, ...fields }, receiptKey);
  return { ...fields, kid: receiptKey.kid, signature: receiptSignature };
}

function answer(
  context: Context,
  ballot: Ballot,
  confirmation: { code: string; commitment: string },
  done: DoneClaim,
): void {
  const { region, partition, offset, durability, acceptedAtMs, kid, signature } = done;
  const fields: ReceiptFields = {
    ...identify(ballot),
    commitment: confirmation.commitment,
    acceptedAtMs,
    region,
    partition,
    offset,
    durability,
  };
  context.status = 201;
  context.set('cache-control', 'no-store');
  context.body = JSON.stringify({
    vote_id: ballot.vote_id,
    status: 'accepted',
    timestamp: toTimestamp(acceptedAtMs),
    confirmation_code: confirmation.code,
    receipt: assembleReceipt(fields, kid, signature),
    message: acceptedMessage,
  });
  context.type = 'application/json';
}

function identify(ballot: Ballot): { vote_id: string; session_id: string } {
  return { vote_id: ballot.vote_id, session_id: ballot.session_id };
}

function limited(waitMs: number): ServiceError {
  const retryAfterS = Math.max(1, Math.ceil(waitMs / 1000));
  return new ServiceError('rate_limit_exceeded', { retryAfterS });
}

function closed(ballot: Ballot): ServiceError {
  const members = { vote_id: ballot.vote_id, state: `/api/v1/votes/${ballot.vote_id}` };
  return new ServiceError('session_closed', { members });
}

function overloaded(parts: CastVoteParts): ServiceError {
  return new ServiceError('overloaded', { retryAfterS: jitteredRetryS(retryS, parts.random) });
}

function notReady(parts: CastVoteParts): ServiceError {
  return new ServiceError('not_ready', { retryAfterS: jitteredRetryS(retryS, parts.random) });
}

function unknown(parts: CastVoteParts, cause: unknown): ServiceError {
  const retryAfterS = jitteredRetryS(retryS, parts.random);
  return new ServiceError('outcome_unknown', { retryAfterS, cause });
}
