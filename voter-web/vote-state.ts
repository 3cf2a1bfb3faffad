import type { Answer, ApiRequest } from './api.ts';
import type { Coordinates } from './covers.ts';
import { type CountState, type RecordedVote, recordedVote } from './kept-vote.ts';

/** The state of a vote as `GET /votes/{vote_id}` tells its voter. */
export type VoteState = {
  status: string;
  confirmation_code: string;
  accepted_at: string;
};

/** The request for the state of a vote, with the coordinates of its receipt where there is one. */
export function stateRequest(
  voteId: string,
  ballotToken: string,
  at: Coordinates | null,
): [url: string, request: ApiRequest] {
  const query =
    at === null ? '' : `?at=${encodeURIComponent(at.region)}/${at.partition}/${at.offset}`;
  const url = `/api/v1/votes/${encodeURIComponent(voteId)}${query}`;
  return [url, { headers: { authorization: `Bearer ${ballotToken}` } }];
}

/** The state in an answer; null when the answer holds none. */
export function readVoteState(answer: Answer): VoteState | null {
  if (answer.kind !== 'ok') return null;
  const { status, confirmation_code, accepted_at } = answer.body as Partial<VoteState>;
  if (typeof status !== 'string') return null;
  return { status, confirmation_code: confirmation_code ?? '', accepted_at: accepted_at ?? '' };
}

/**
 * The entry for a vote that has no receipt here and whose state was asked for instead. Once the
 * state settles it there is nothing left to ask, so the ballot is not kept.
 */
export function foundVote(voteId: string, state: VoteState, ballotToken: string): RecordedVote {
  const { accepted_at: timestamp, confirmation_code } = state;
  const receipt = { vote_id: voteId, timestamp, confirmation_code, receipt: null };
  const vote = recordedVote(receipt, ballotToken);
  const count = countState(vote, state);
  return { ...vote, count, ballotToken: count === null ? ballotToken : null };
}

/**
 * What a state means for the vote that this browser cast: the code of the row that counts is
 * compared with that of its receipt; without a receipt there is nothing to compare. Null while the
 * vote is accepted and not yet read by the count.
 */
export function countState(vote: RecordedVote, state: VoteState): CountState | null {
  switch (state.status) {
    case 'counted':
      if (vote.receipt === null) return 'one-of-yours';
      return state.confirmation_code === vote.confirmationCode ? 'as-cast' : 'earlier-choice';
    case 'late':
    case 'quarantined':
    case 'void':
      return state.status;
    default:
      return null;
  }
}
