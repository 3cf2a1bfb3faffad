/**
 * Every error that a client may see: one row a code. A code's status, retryability and sentence
 * live here and nowhere else; `docs/errors.md` lists the same rows and a test holds the two
 * together.
 *
 * Three kinds, never mixed: a refusal (4xx: this request wrote nothing), retryable trouble (a 503
 * before anything was written) and an unknown outcome (503 `outcome_unknown`: only the state of the
 * vote tells how it ended; a retry with the same choice is safe).
 */
export const errorTable = {
  // Refusals of a request as such.
  invalid_request: [400, false, 'The request is not in the form this address expects.'],
  invalid_token: [401, false, 'The token is missing, expired or not valid here.'],
  origin_only: [403, false, 'This address answers only through the public host name.'],
  forbidden: [403, false, 'You may not do this.'],
  not_found: [404, false, 'There is nothing at this address.'],
  method_not_allowed: [405, false, 'This address does not take that method.'],
  body_too_large: [413, false, 'The request body is larger than this address takes.'],
  unsupported_media_type: [415, false, 'Send the body as plain application/json.'],
  rate_limit_exceeded: [429, true, 'Too many requests; wait and send the same request again.'],
  // Who is voting.
  invalid_credentials: [401, false, 'The e-mail address or the password is not right.'],
  email_not_verified: [403, false, 'Confirm your e-mail address first; the link is in your mail.'],
  invalid_verification: [
    422,
    false,
    'This link is not valid any more; register again for a new one.',
  ],
  invalid_code: [422, false, 'This voting code is not valid for this vote; check each character.'],
  not_eligible: [403, false, 'This vote is not open to you.'],
  suspicious_activity: [403, false, 'Please show that you are human, then try again.'],
  // Votes.
  duplicate_vote: [409, false, 'You have already voted; your first choice is recorded.'],
  vote_in_progress: [409, true, 'Your first choice is being recorded; ask again in a moment.'],
  session_not_open: [409, true, 'Voting has not opened yet.'],
  session_closed: [410, false, 'Voting has closed.'],
  unknown_option: [422, false, 'That option is not part of this vote.'],
  invalid_ballot: [422, false, 'This ballot is for another vote; open a ballot for this one.'],
  not_recorded_yet: [
    404,
    true,
    'No vote is recorded here yet; if you sent one, ask again shortly.',
  ],
  region_lost: [
    410,
    false,
    'The region that recorded this vote was lost before it was counted, and no copy of it remains.',
  ],
  // Admins.
  session_conflict: [409, false, 'The session is not in a state that allows this.'],
  act_conflict: [409, false, 'This cannot be decided now.'],
  already_signed: [409, false, 'You have signed this already; another person has to.'],
  already_taken: [409, false, 'Somebody else has this already.'],
  invalid_signature: [422, false, 'The signature is not the one of this key for this act.'],
  // Trouble on our side.
  outcome_unknown: [503, true, 'We cannot say yet whether this was recorded; send it again.'],
  overloaded: [503, true, 'Too many at once; wait a moment and send it again.'],
  not_ready: [503, true, 'This part of the service is starting or restarting; try again.'],
  internal_error: [500, true, 'Something went wrong on our side; try again.'],
} as const satisfies Record<string, readonly [number, boolean, string]>;

export type ErrorCode = keyof typeof errorTable;

export interface ErrorDetails {
  /** Replaces the table's sentence where the case can say more; shown to the client. */
  message?: string;
  /** Seconds for `Retry-After` (whole, ≥ 1) and, on a 429, `retry_after`. */
  retryAfterS?: number;
  /** Further members of the problem document, such as `existing_vote_id`. */
  members?: Readonly<Record<string, unknown>>;
  /** What happened underneath; goes to the log, never to the client. */
  cause?: unknown;
}

/** The one error class that reaches a client; anything else becomes `internal_error`. */
export class ServiceError extends Error {
  readonly code: ErrorCode;
  readonly status: number;
  readonly retryable: boolean;
  readonly retryAfterS: number | undefined;
  readonly members: Readonly<Record<string, unknown>>;

  constructor(code: ErrorCode, details: ErrorDetails = {}) {
    const [status, retryable, sentence] = errorTable[code];
    super(details.message ?? sentence, { cause: details.cause });
    this.name = 'ServiceError';
    this.code = code;
    this.status = status;
    this.retryable = retryable;
    this.retryAfterS = details.retryAfterS;
    this.members = details.members ?? {};
  }
}

/**
 * Whole seconds for `Retry-After`, spread over [base, 2·base]: clients that were refused together
 * must not come back together.
 */
export function jitteredRetryS(baseS: number, random: () => number): number {
  return Math.max(1, Math.round(baseS * (1 + random())));
}
