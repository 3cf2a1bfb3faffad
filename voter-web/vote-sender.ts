import type { Answer, Problem } from './api.ts';
import { backOffMs } from './back-off.ts';
import { type Receipt, readReceipt } from './kept-vote.ts';

/**
 * Sending one vote until it is known how it ended. A pure machine: it is told what happened and
 * says what to do next; `send-vote.ts` does it.
 *
 *   post ──201──────────────► stop recorded          ┌── post (next region)
 *    │ ──409 duplicate──────► stop duplicate         │
 *    │ ──no answer, 5xx─────► unknown = true ────────┴── wait (all regions failed, or Retry-After)
 *    │ ──429, in progress───► wait ──► post (same region)
 *    │ ──401────────────────► open-ballot ──► post, or stop ballot-needed
 *    │ ──WAF challenge──────► stop challenge
 *    └ ──other 4xx──────────► stop refused, or unresolved when an earlier post is unknown
 *
 * `unknown` never goes back to false: once a post had no answer, a later refusal says only that
 * *that* post wrote nothing. The choice is then not given free; the state of the vote is asked for.
 */
export type SenderState = {
  readonly regionCount: number;
  readonly region: number;
  /** Regions that failed one after the other; at `regionCount` a round is over. */
  readonly failedInRow: number;
  readonly rounds: number;
  readonly unknown: boolean;
  /** A new ballot was asked for because of a 401: a second 401 is not answered with a third. */
  readonly reopened: boolean;
  readonly todo: Todo;
};

/**
 * Of a post: `unreachable` no answer, `busy` a 5xx, `limited` a 429, `in_progress` another choice
 * on its way. While a ballot is opened a 5xx is `unreachable`, too.
 */
export type WaitReason = 'unreachable' | 'busy' | 'limited' | 'in_progress';

export type Todo =
  | { do: 'post'; region: number }
  | { do: 'wait'; ms: number; why: WaitReason; next: 'post' | 'open-ballot' }
  | { do: 'open-ballot' }
  | { do: 'stop'; end: End };

export type End =
  | { kind: 'recorded'; receipt: Receipt }
  | { kind: 'duplicate'; problem: Problem }
  | { kind: 'refused'; problem: Problem }
  | { kind: 'unresolved'; problem: Problem }
  | { kind: 'challenge'; requestId: string | null }
  | { kind: 'ballot-needed' };

export type SenderEvent =
  | { type: 'posted'; answer: Answer }
  | { type: 'waited' }
  | { type: 'ballot-opened'; regionCount: number }
  | { type: 'ballot-failed'; answer: Answer }
  | { type: 'credentials-missing' };

/** A region that has not answered a vote after this is left for the next one. */
export const attemptMs = 3000;
const firstWaitMs = 1000;
const longestWaitMs = 30_000;
/** Longer than this no server makes the page wait, whatever its Retry-After says. */
export const retryAfterMsMax = 120_000;

/** @param resumed the vote was on its way before (a reload): it may have been recorded then */
export function startSending(regionCount: number, resumed: boolean): SenderState {
  return {
    regionCount: Math.max(1, regionCount),
    region: 0,
    failedInRow: 0,
    rounds: 0,
    unknown: resumed,
    reopened: false,
    todo: { do: 'post', region: 0 },
  };
}

/** The state after an event. `random` in [0, 1) spreads the waits. */
export function nextStep(state: SenderState, event: SenderEvent, random: number): SenderState {
  switch (event.type) {
    case 'waited':
      return state.todo.do === 'wait' && state.todo.next === 'open-ballot'
        ? { ...state, todo: { do: 'open-ballot' } }
        : post(state, state.region);
    case 'ballot-opened':
      return post({ ...state, regionCount: Math.max(1, event.regionCount), failedInRow: 0 }, 0);
    case 'credentials-missing':
      return stop(state, { kind: 'ballot-needed' });
    case 'ballot-failed':
      return afterBallotFailed(state, event.answer, random);
    case 'posted':
      return afterPost(state, event.answer, random);
  }
}

function afterPost(state: SenderState, answer: Answer, random: number): SenderState {
  if (answer.kind === 'ok') {
    // Only a whole receipt is a success; anything else that says 2xx leaves the outcome unknown.
    const receipt = answer.status === 201 ? readReceipt(answer.body) : null;
    return receipt === null
      ? regionFailed(state, null, random)
      : stop(state, { kind: 'recorded', receipt });
  }
  if (answer.kind === 'none') return regionFailed(state, null, random);
  if (answer.kind === 'challenge') {
    return stop(state, { kind: 'challenge', requestId: answer.requestId });
  }
  const { problem } = answer;
  if (problem.status >= 500) return regionFailed(state, problem, random);
  if (problem.status === 401 && !state.reopened) {
    return { ...state, reopened: true, todo: { do: 'open-ballot' } };
  }
  if (problem.status === 429) return waitFor(state, problem, 'limited', 'post', random);
  if (problem.error === 'vote_in_progress') {
    return waitFor(state, problem, 'in_progress', 'post', random);
  }
  if (problem.error === 'suspicious_activity') {
    return stop(state, { kind: 'challenge', requestId: problem.requestId });
  }
  if (problem.error === 'duplicate_vote') return stop(state, { kind: 'duplicate', problem });
  return refused(state, problem);
}

function afterBallotFailed(state: SenderState, answer: Answer, random: number): SenderState {
  if (answer.kind === 'challenge') {
    return stop(state, { kind: 'challenge', requestId: answer.requestId });
  }
  const problem = answer.kind === 'problem' ? answer.problem : null;
  if (problem === null || problem.status >= 500 || problem.status === 429) {
    const why = problem?.status === 429 ? 'limited' : 'unreachable';
    return waitFor(state, problem, why, 'open-ballot', random);
  }
  if (problem.status === 401 || problem.error === 'invalid_code') {
    return stop(state, { kind: 'ballot-needed' });
  }
  return refused(state, problem);
}

/** An answer that never came or came from a machine in trouble: what it wrote is not known. */
function regionFailed(state: SenderState, problem: Problem | null, random: number): SenderState {
  const failedInRow = state.failedInRow + 1;
  const region = (state.region + 1) % state.regionCount;
  const moved = { ...state, region, failedInRow, unknown: true, reopened: false };
  if (problem !== null && problem.retryAfterS !== null) {
    return waitFor(moved, problem, 'busy', 'post', random);
  }
  if (failedInRow < state.regionCount) return post(moved, region);
  const over = { ...moved, failedInRow: 0 };
  return waitFor(over, problem, problem === null ? 'unreachable' : 'busy', 'post', random);
}

function waitFor(
  state: SenderState,
  problem: Problem | null,
  why: WaitReason,
  next: 'post' | 'open-ballot',
  random: number,
): SenderState {
  const rounds = state.rounds + 1;
  const askedMs = Math.min(retryAfterMsMax, (problem?.retryAfterS ?? 0) * 1000);
  // Whoever answers knows how busy it is now, not how often this page was turned away: without its
  // own back-off a crowd comes back every second or two and keeps an overload going.
  const ms = Math.max(askedMs, backOffMs(rounds, random, firstWaitMs, longestWaitMs));
  return { ...state, rounds, todo: { do: 'wait', ms, why, next } };
}

function refused(state: SenderState, problem: Problem): SenderState {
  return stop(state, { kind: state.unknown ? 'unresolved' : 'refused', problem });
}

function post(state: SenderState, region: number): SenderState {
  return { ...state, region, todo: { do: 'post', region } };
}

function stop(state: SenderState, end: End): SenderState {
  return { ...state, todo: { do: 'stop', end } };
}
