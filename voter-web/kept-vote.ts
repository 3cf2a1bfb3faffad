import type { Ballot } from './session.ts';

/**
 * What this browser keeps of a vote, one entry a session, in localStorage: it outlives the page,
 * and other tabs hear of each change.
 *
 *   (nothing) ──Vote──► sending ──201──► recorded
 *                          ├──409 duplicate──► duplicate
 *                          └──refused, and no post is unknown──► (nothing)
 *
 * `sending` is written before the first request leaves. The choice is in `sending` alone: from the
 * answer on this browser cannot show anybody what was chosen.
 */
export type KeptVote = SendingVote | RecordedVote | DuplicateVote;

/** Every post of it has this one key, also after a reload and from another tab. */
export type SendingVote = {
  stage: 'sending';
  idempotencyKey: string;
  optionId: string;
  ballot: Ballot;
};

export type RecordedVote = {
  stage: 'recorded';
  voteId: string;
  /** accepted_at, RFC 3339 UTC; empty where the service did not tell it. */
  acceptedAt: string;
  /** Without a receipt it is that of the row that counts, or empty where no row does. */
  confirmationCode: string;
  /**
   * The signed receipt; null when the vote was found by its state and not by its 201. It may then
   * be another choice than the one sent here, so nothing says "as cast" of it.
   */
  receipt: string | null;
  /** For asking the state of the vote; null once there is nothing left to ask. */
  ballotToken: string | null;
  /** What is known of the count: null until it is known. */
  count: CountState | null;
};

/** What a 201 says. */
export type Receipt = {
  vote_id: string;
  timestamp: string;
  confirmation_code: string;
  receipt: string | null;
};

/**
 * `unchecked`: the count has read the vote, whether it was counted or ended as a duplicate. In all
 * others its state was asked for; `one-of-yours`: a vote of this voter counts, of which choice is
 * not known here; `region-lost`: no copy of it is left, so it cannot count.
 */
export type CountState =
  | 'unchecked'
  | 'as-cast'
  | 'earlier-choice'
  | 'one-of-yours'
  | 'late'
  | 'quarantined'
  | 'void'
  | 'region-lost';

/**
 * Another choice of this voter is recorded; `acceptedAt` is that one's, RFC 3339 UTC, empty where
 * the service did not tell it.
 */
export type DuplicateVote = {
  stage: 'duplicate';
  voteId: string;
  acceptedAt: string;
  ballotToken: string;
};

/** The part of the browser's Storage that is used. */
export type TextStore = {
  getItem(key: string): string | null;
  setItem(key: string, value: string): void;
  removeItem(key: string): void;
};

/** An entry longer than this is not ours. */
const ENTRY_CHARS_MAX = 64 * 1024;

export const keptVoteKey = (sessionId: string): string => `vote:${sessionId}`;

/** What is kept for this session; null when nothing, or nothing readable. */
export function readKeptVote(store: TextStore, sessionId: string): KeptVote | null {
  const text = store.getItem(keptVoteKey(sessionId));
  if (text === null || text.length > ENTRY_CHARS_MAX) return null;
  try {
    const kept = JSON.parse(text) as Partial<KeptVote> | null;
    if (kept?.stage === 'sending') {
      const usable = [kept.idempotencyKey, kept.optionId, kept.ballot?.ballot_token].every(isText);
      return usable && Array.isArray(kept.ballot?.regions) ? (kept as SendingVote) : null;
    }
    if (kept?.stage !== 'recorded' && kept?.stage !== 'duplicate') return null;
    return isText(kept.voteId) && typeof kept.acceptedAt === 'string' ? (kept as KeptVote) : null;
  } catch {
    return null;
  }
}

/** Keeps the vote; null forgets it. Throws where the browser refuses to keep anything. */
export function keepVote(store: TextStore, sessionId: string, vote: KeptVote | null): void {
  if (vote === null) store.removeItem(keptVoteKey(sessionId));
  else store.setItem(keptVoteKey(sessionId), JSON.stringify(vote));
}

/** The body of a 201, checked; null when it lacks what makes a receipt. */
export function readReceipt(body: unknown): Receipt | null {
  const { vote_id, timestamp, confirmation_code, receipt } = body as Record<string, unknown>;
  if (!isText(vote_id) || !isText(timestamp) || !isText(confirmation_code)) return null;
  return { vote_id, timestamp, confirmation_code, receipt: isText(receipt) ? receipt : null };
}

/** The entry for a vote that was answered with this receipt. */
export function recordedVote(receipt: Receipt, ballotToken: string): RecordedVote {
  return {
    stage: 'recorded',
    voteId: receipt.vote_id,
    acceptedAt: receipt.timestamp,
    confirmationCode: receipt.confirmation_code,
    receipt: receipt.receipt,
    ballotToken,
    count: null,
  };
}

function isText(value: unknown): value is string {
  return typeof value === 'string' && value !== '';
}
