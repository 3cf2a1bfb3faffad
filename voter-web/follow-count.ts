import type { Answer, ApiRequest } from './api.ts';
import { backOffMs } from './back-off.ts';
import { isCovered, readCoordinates } from './covers.ts';
import type { CountState, RecordedVote } from './kept-vote.ts';
import { readResults } from './results.ts';
import { countState, readVoteState, stateRequest } from './vote-state.ts';

/** What following a vote needs of the world. */
export type FollowWorld = {
  /** The cached snapshot: the CDN answers it, whatever the number of viewers. */
  askSnapshot: () => Promise<Answer>;
  ask: (url: string, request: ApiRequest) => Promise<Answer>;
  wait: (ms: number) => Promise<void>;
  now: () => number;
  random: () => number;
};

const firstLookMs = 1000;
const longestLookMs = 10_000;
/** Only a vote that is still not covered after this is asked for by its id. */
const askStateAfterMs = 60_000;
/**
 * Asks by id are spread over this, so that a stalled count is not met by all its voters at once.
 */
const askSpreadMs = 30_000;
/** Then the page stops asking on its own; the voter can still ask by button. */
const giveUpAfterMs = 30 * 60_000;

/**
 * Finds out that a vote is counted, by comparing its receipt with what each snapshot covers; the
 * state of the vote is asked for once, and only when that has not settled it in a minute.
 *
 * @returns what is known of the count, or null when half an hour did not settle it
 */
export async function followCount(
  vote: RecordedVote,
  world: FollowWorld,
): Promise<CountState | null> {
  const at = vote.receipt === null ? null : readCoordinates(vote.receipt);
  const startedMs = world.now();
  const askStateMs = at === null ? 0 : askStateAfterMs + world.random() * askSpreadMs;
  let asked = false;
  for (let looks = 1; world.now() - startedMs < giveUpAfterMs; looks++) {
    const waitMs = looks === 1 ? firstLookMs : undefined;
    await world.wait(waitMs ?? backOffMs(looks, world.random(), firstLookMs, longestLookMs));
    const answer = await world.askSnapshot();
    const results = answer.kind === 'ok' ? readResults(answer.body) : null;
    if (at !== null && results !== null && isCovered(at, results.covers)) return 'unchecked';
    // Without coordinates only the state tells, so it is asked for each time, at the same pace.
    if ((asked && at !== null) || world.now() - startedMs < askStateMs) continue;
    asked = true;
    const count = await askCountState(vote, world);
    if (count !== null) return count;
  }
  return null;
}

/** Asks for the state of the vote once; null when it is accepted and no more, or nobody answers. */
export async function askCountState(
  vote: RecordedVote,
  world: Pick<FollowWorld, 'ask'>,
): Promise<CountState | null> {
  if (vote.ballotToken === null) return null;
  const at = vote.receipt === null ? null : readCoordinates(vote.receipt);
  const answer = await world.ask(...stateRequest(vote.voteId, vote.ballotToken, at));
  if (answer.kind === 'problem' && answer.problem.error === 'region_lost') return 'region-lost';
  const state = readVoteState(answer);
  return state === null ? null : countState(vote, state);
}
