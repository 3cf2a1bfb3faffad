import type { Answer, ApiRequest } from './api.ts';
import type { Coordinates } from './covers.ts';
import type { CountState, RecordedVote } from './kept-vote.ts';

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
 * What a state means for the vote that this browser cast: the code of the row that counts is
 * compared with its own. Null while the vote is accepted and not yet read by the count.
 */
export function countState(vote: RecordedVote, state: VoteState): CountState | null {
  switch (state.status) {
    case 'counted':
      return state.confirmation_code === vote.confirmationCode ? 'as-cast' : 'earlier-choice';
    case 'late':
    case 'quarantined':
    case 'void':
      return state.status;
    default:
      return null;
  }
}
