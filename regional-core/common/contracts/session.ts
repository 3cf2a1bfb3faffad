import { type PublicJwk, toPublicJwk } from '../keys.ts';
import { isUuid } from '../uuid.ts';

/**
 * The topic `sessions` (compacted) carries what every process must know without a database: the
 * sessions and the public keys of ballots. The publisher writes it from Postgres; readers keep the
 * message with the highest (epoch, version) of a key and ignore types they do not know, so that an
 * older process lives beside a newer publisher.
 */
export interface SessionMessage {
  readonly type: 'session';
  readonly v: 1;
  /** Rises when the writer's address moves; a lower one is never believed. */
  readonly epoch: number;
  readonly version: number;
  readonly session_id: string;
  /** Postgres's short key of the session. */
  readonly session_no: number;
  readonly title: string;
  /** In ballot order; a position in this list is an option number. Frozen from opening on. */
  readonly options: readonly SessionOption[];
  /** Milliseconds since the epoch. Opening and closing follow the clock from these. */
  readonly opens_at_ms: number;
  readonly closes_at_ms: number;
  readonly eligibility: readonly EligibilityPolicy[];
  readonly results_policy: ResultsPolicy;
  /** With `on_release`: when results may be shown; null until somebody releases them. */
  readonly released_at_ms: number | null;
}

export interface SessionOption {
  readonly option_id: string;
  readonly label: string;
}

export const eligibilityPolicies = ['account', 'code'] as const;
export type EligibilityPolicy = (typeof eligibilityPolicies)[number];

export const resultsPolicies = ['live', 'after_vote', 'after_close', 'on_release'] as const;
export type ResultsPolicy = (typeof resultsPolicies)[number];

export type SessionState = 'scheduled' | 'open' | 'closed';

/** The public keys that ballots are signed with: the current one and those before it. */
export interface BallotKeysMessage {
  readonly type: 'ballot_keys';
  readonly v: 1;
  readonly keys: readonly PublicJwk[];
}

export const ballotKeysMessageKey = 'ballot-keys';

export function sessionMessageKey(sessionId: string): string {
  return `session:${sessionId}`;
}

/** Seconds after closing in which a vote that was admitted before it may still get its answer. */
export const graceMs = 5000;

/** Changes to the times or text of a scheduled or open session take effect this far ahead. */
export const sessionChangeAheadMs = 10_000;

/** Options a session has at most: an event and a snapshot stay small (design: 10 at ≤ 1.2 kB/s). */
export const sessionOptionsMax = 100;

export function sessionState(
  session: Pick<SessionMessage, 'opens_at_ms' | 'closes_at_ms'>,
  nowMs: number,
): SessionState {
  if (nowMs < session.opens_at_ms) return 'scheduled';
  return nowMs < session.closes_at_ms ? 'open' : 'closed';
}

/** Who may see counts now. `voters`: whoever shows a receipt of this session. */
export function resultsAudience(
  session: Pick<SessionMessage, 'results_policy' | 'closes_at_ms' | 'released_at_ms'>,
  nowMs: number,
): 'everyone' | 'voters' | 'nobody' {
  switch (session.results_policy) {
    case 'live':
      return 'everyone';
    case 'after_vote':
      return nowMs < session.closes_at_ms ? 'voters' : 'everyone';
    case 'after_close':
      return nowMs < session.closes_at_ms ? 'nobody' : 'everyone';
    case 'on_release':
      return session.released_at_ms !== null && nowMs >= session.released_at_ms
        ? 'everyone'
        : 'nobody';
  }
}

export function encodeSessionsMessage(message: SessionMessage | BallotKeysMessage): Buffer {
  return Buffer.from(JSON.stringify(message));
}

/** Reads a message; undefined for a type or version of a newer publisher, or for no JSON at all. */
export function decodeSessionsMessage(
  value: Buffer | null | undefined,
): SessionMessage | BallotKeysMessage | undefined {
  if (!value) return undefined;
  try {
    const message = JSON.parse(value.toString()) as SessionMessage | BallotKeysMessage;
    if (message.v !== 1) return undefined;
    if (message.type === 'ballot_keys') {
      return { type: 'ballot_keys', v: 1, keys: message.keys.map(toPublicJwk) };
    }
    return message.type === 'session' && isUuid(message.session_id) ? message : undefined;
  } catch {
    return undefined;
  }
}

/** True when `next` may replace `held`: by (epoch, version), equal ones changing nothing. */
export function isNewerSession(
  next: Pick<SessionMessage, 'epoch' | 'version'>,
  held: Pick<SessionMessage, 'epoch' | 'version'> | undefined,
): boolean {
  if (held === undefined) return true;
  return next.epoch > held.epoch || (next.epoch === held.epoch && next.version > held.version);
}
