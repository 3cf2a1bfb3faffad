import { type Answer, type ApiRequest, textMember } from './api.ts';
import { backOffMs } from './back-off.ts';
import {
  type KeptVote,
  keepVote,
  readKeptVote,
  recordedVote,
  type SendingVote,
  type TextStore,
} from './kept-vote.ts';
import type { Ballot } from './session.ts';
import { readClaims } from './token.ts';
import {
  attemptMs,
  nextStep,
  type SenderEvent,
  type SenderState,
  startSending,
} from './vote-sender.ts';
import { foundVote, readVoteState, stateRequest } from './vote-state.ts';

/** What sending needs of the world. */
export type SendWorld = {
  store: TextStore;
  ask: (url: string, request: ApiRequest) => Promise<Answer>;
  /** A new ballot for the same voter and session; null when the voter must enter the code again. */
  openBallot: () => Promise<{ ballot: Ballot } | { answer: Answer } | null>;
  /** Waits; ends early when the device comes back online. */
  wait: (ms: number) => Promise<void>;
  random: () => number;
  uuid: () => string;
  /** Runs the work while no other tab runs work of that name. */
  alone: (name: string, work: () => Promise<void>) => Promise<void>;
  onKept: (kept: KeptVote | null) => void;
  onState: (state: SenderState) => void;
};

/** How often the state of an unresolved vote is asked for before the voter is asked to. */
const stateTriesMax = 10;

/**
 * Sends a choice, or goes on sending the one that is kept: a vote that is on its way in this
 * browser always comes first, and a vote that has been answered is never sent again. Resolves when
 * it is known how the vote ended, or when the voter has to do something.
 *
 * @param choice null to go on with what is kept
 */
export async function sendVote(
  sessionId: string,
  choice: { optionId: string; ballot: Ballot } | null,
  world: SendWorld,
): Promise<void> {
  await world.alone(`vote:${sessionId}`, async () => {
    const kept = readKeptVote(world.store, sessionId);
    const resumed = kept !== null;
    if (kept === null && choice !== null) {
      keep(sessionId, { stage: 'sending', idempotencyKey: world.uuid(), ...choice }, world);
    } else {
      world.onKept(kept);
    }
    const sending = readKeptVote(world.store, sessionId);
    if (sending?.stage === 'sending') await send(sessionId, sending, resumed, world);
  });
}

async function send(
  sessionId: string,
  first: SendingVote,
  resumed: boolean,
  world: SendWorld,
): Promise<void> {
  let vote = first;
  let state = startSending(vote.ballot.regions.length, resumed);
  for (;;) {
    world.onState(state);
    const { todo } = state;
    if (todo.do === 'stop') break;
    let event: SenderEvent;
    if (todo.do === 'wait') {
      await world.wait(todo.ms);
      event = { type: 'waited' };
    } else if (todo.do === 'post') {
      event = { type: 'posted', answer: await post(sessionId, vote, todo.region, world) };
    } else {
      const opened = await world.openBallot();
      if (opened !== null && 'ballot' in opened) {
        vote = { ...vote, ballot: opened.ballot };
        keep(sessionId, vote, world);
      }
      event = ballotEvent(opened);
    }
    state = nextStep(state, event, world.random());
  }
  await settle(sessionId, vote, state, world);
}

async function post(
  sessionId: string,
  vote: SendingVote,
  region: number,
  world: SendWorld,
): Promise<Answer> {
  const base = vote.ballot.regions[region]?.url ?? '';
  return await world.ask(`${base}/api/v1/votes`, {
    method: 'POST',
    timeoutMs: attemptMs,
    headers: {
      authorization: `Bearer ${vote.ballot.ballot_token}`,
      'idempotency-key': vote.idempotencyKey,
    },
    body: {
      session_id: sessionId,
      option_id: vote.optionId,
      client_metadata: { timezone: Intl.DateTimeFormat().resolvedOptions().timeZone },
    },
  });
}

function ballotEvent(opened: { ballot: Ballot } | { answer: Answer } | null): SenderEvent {
  if (opened === null) return { type: 'credentials-missing' };
  return 'ballot' in opened
    ? { type: 'ballot-opened', regionCount: opened.ballot.regions.length }
    : { type: 'ballot-failed', answer: opened.answer };
}

async function settle(
  sessionId: string,
  vote: SendingVote,
  state: SenderState,
  world: SendWorld,
): Promise<void> {
  if (state.todo.do !== 'stop') return;
  const { end } = state.todo;
  const ballotToken = vote.ballot.ballot_token;
  if (end.kind === 'recorded') {
    keep(sessionId, recordedVote(end.receipt, ballotToken), world);
  } else if (end.kind === 'duplicate') {
    keep(
      sessionId,
      {
        stage: 'duplicate',
        voteId: textMember(end.problem, 'existing_vote_id'),
        acceptedAt: textMember(end.problem, 'timestamp'),
        ballotToken,
      },
      world,
    );
  } else if (end.kind === 'refused') {
    keep(sessionId, null, world);
  } else if (end.kind === 'unresolved') {
    await resolve(sessionId, vote, world);
  }
}

/**
 * An earlier post had no answer and a later one was refused: only the state of the vote tells. The
 * row it names may be of a choice made on another device.
 */
async function resolve(sessionId: string, vote: SendingVote, world: SendWorld): Promise<void> {
  const ballotToken = vote.ballot.ballot_token;
  const voteId = readClaims(ballotToken)?.['vote_id'];
  if (typeof voteId !== 'string') return;
  for (let tries = 1; tries <= stateTriesMax; tries++) {
    await world.wait(backOffMs(tries, world.random(), 1000, 30_000));
    const [url, request] = stateRequest(voteId, ballotToken, null);
    const found = readVoteState(await world.ask(url, request));
    if (found !== null) {
      keep(sessionId, foundVote(voteId, found, ballotToken), world);
      return;
    }
  }
}

function keep(sessionId: string, kept: KeptVote | null, world: SendWorld): void {
  keepVote(world.store, sessionId, kept);
  world.onKept(kept);
}
