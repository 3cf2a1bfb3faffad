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
  /** When every record that can count had been read and the winners were decided, ms. */
  readonly sealed_at_ms?: number | null;
  /** The result two people agreed on. Once told it never changes. */
  readonly final?: FinalResult | null;
}

/** A final result, from the final statement alone: later tallies change nothing about it. */
export interface FinalResult {
  /** Lowercase hex of the SHA-256 over all votes that count; part of the result's own address. */
  readonly digest: string;
  /** One count per option, in the session's order; null while nobody may see them. */
  readonly counts: readonly number[] | null;
  readonly total: number;
  /** When it became final, ms. */
  readonly at_ms: number;
  /** Lowercase hex of the SHA-256 that names the act two people signed. */
  readonly act_hash: string;
}

/**
 * The id is unique in its session and at most 64 ASCII characters, the label one line of at most
 * 200 UTF-16 units: so the portal makes them. A label is text and never markup.
 */
export interface SessionOption {
  readonly option_id: string;
  readonly label: string;
}

export const eligibilityPolicies = ['account', 'code'] as const;
export type EligibilityPolicy = (typeof eligibilityPolicies)[number];

export const resultsPolicies = ['live', 'after_vote', 'after_close', 'on_release'] as const;
export type ResultsPolicy = (typeof resultsPolicies)[number];

/** What the clock says of a session; what became of its result is `resultState`. */
export type SessionState = 'scheduled' | 'open' | 'closed';

/** `sealed`: everything is counted and being checked; `final`: checked, and agreed on by two. */
export const resultStates = ['scheduled', 'open', 'closed', 'sealed', 'final'] as const;
export type ResultState = (typeof resultStates)[number];

/** The public keys that ballots are signed with: the current one and those before it. */
export interface BallotKeysMessage {
  readonly type: 'ballot_keys';
  readonly v: 1;
  readonly keys: readonly PublicJwk[];
}

/** The public keys that seals are signed with, each with the region whose ledgers hold it. */
export interface SealKeysMessage {
  readonly type: 'seal_keys';
  readonly v: 1;
  readonly keys: readonly SealKey[];
}

/**
 * `region`: whose ledgers hold the private half. The key is good for the logs that this region
 * hosts and for no others (`sealingRegion`).
 */
export interface SealKey extends PublicJwk {
  readonly region: string;
}

/** Regions that two people declared lost. One of a lower epoch than another is never believed. */
export interface RegionsMessage {
  readonly type: 'regions';
  readonly v: 1;
  readonly epoch: number;
  /** Names, sorted. */
  readonly lost: readonly string[];
}

/** Totals hold since then, because the database lies behind what was told or does not answer. */
export interface TotalsStaleMessage {
  readonly type: 'totals_stale';
  readonly v: 1;
  /** Null: they do not, or not any more. */
  readonly since_ms: number | null;
}

export type SessionsMessage =
  | SessionMessage
  | BallotKeysMessage
  | SealKeysMessage
  | RegionsMessage
  | TotalsStaleMessage;

/** Key of a message in the topic: the latest of each is what holds. */
export function sessionsMessageKey(message: SessionsMessage): string {
  return message.type === 'session'
    ? `session:${message.session_id}`
    : message.type.replaceAll('_', '-');
}

/** Milliseconds after closing in which a vote that was admitted before it may still get its answer. */
export const graceMs = 5000;

/** Changes to the times or text of a scheduled or open session take effect this far ahead. */
export const sessionChangeAheadMs = 10_000;

/** Options a session has at most: an event and a snapshot stay small (design: 10 at ≤ 1.2 kB/s). */
export const sessionOptionsMax = 100;

/**
 * At `nowMs` of a wall clock: open from `opens_at_ms` on, closed from `closes_at_ms` on.
 * Whether a vote is in time intake decides by itself, with its clock's error on top.
 */
export function sessionState(
  session: Pick<SessionMessage, 'opens_at_ms' | 'closes_at_ms'>,
  nowMs: number,
): SessionState {
  if (nowMs < session.opens_at_ms) return 'scheduled';
  return nowMs < session.closes_at_ms ? 'open' : 'closed';
}

/** How far the result of a session is, seal and final statement included. */
export function resultState(
  session: Pick<SessionMessage, 'opens_at_ms' | 'closes_at_ms' | 'sealed_at_ms' | 'final'>,
  nowMs: number,
): ResultState {
  if (session.final) return 'final';
  return (session.sealed_at_ms ?? null) === null ? sessionState(session, nowMs) : 'sealed';
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

/**
 * The value of the message's record; its key is `sessionsMessageKey`. Nothing is checked here: what
 * `decodeSessionsMessage` does not take, every reader skips.
 */
export function encodeSessionsMessage(message: SessionsMessage): Buffer {
  return Buffer.from(JSON.stringify(message));
}

/** Reads a message; undefined for a type or version of a newer publisher, or for no JSON at all. */
export function decodeSessionsMessage(
  value: Buffer | null | undefined,
): SessionsMessage | undefined {
  if (!value) return undefined;
  try {
    const message = JSON.parse(value.toString()) as SessionsMessage;
    return message.v === 1 ? readKnown(message) : undefined;
  } catch {
    return undefined;
  }
}

/** Throws a TypeError or an Error where a member is not there or has another type. */
function readKnown(message: SessionsMessage): SessionsMessage | undefined {
  switch (message.type) {
    case 'session':
      return isUuid(message.session_id) && isFinal(message.final) ? message : undefined;
    case 'ballot_keys':
      return { type: 'ballot_keys', v: 1, keys: message.keys.map(toPublicJwk) };
    case 'seal_keys':
      return { type: 'seal_keys', v: 1, keys: message.keys.map(toSealKey) };
    case 'regions': {
      const { epoch, lost } = message;
      const areNames = lost.every((name) => typeof name === 'string');
      return Number.isSafeInteger(epoch) && areNames ? message : undefined;
    }
    case 'totals_stale':
      return message.since_ms === null || isCount(message.since_ms) ? message : undefined;
    default:
      return undefined;
  }
}

function toSealKey(key: SealKey): SealKey {
  if (typeof key.region !== 'string') throw new TypeError('a seal key names its region');
  return { ...toPublicJwk(key), region: key.region };
}

/** The digest goes into addresses, the counts on screens: both must be what they claim. */
function isFinal(final: unknown): boolean {
  if (final === undefined || final === null) return true;
  const { digest, counts, total, at_ms, act_hash } = final as FinalResult;
  return (
    [digest, act_hash].every((hash) => /^[0-9a-f]{64}$/.test(hash)) &&
    (counts === null || counts.every(isCount)) &&
    [total, at_ms].every(isCount)
  );
}

function isCount(value: unknown): boolean {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}

/** True when `next` may replace `held`: by (epoch, version), equal ones changing nothing. */
export function isNewerSession(
  next: Pick<SessionMessage, 'epoch' | 'version'>,
  held: Pick<SessionMessage, 'epoch' | 'version'> | undefined,
): boolean {
  if (held === undefined) return true;
  return next.epoch > held.epoch || (next.epoch === held.epoch && next.version > held.version);
}
