import { ServiceError } from '#common/errors.ts';
import type { Accepted, Submitted } from '../../regional-core/intake/submit-vote.ts';
import type { Answer } from '../../voter-web/api.ts';
import { nextStep, type SenderEvent, startSending } from '../../voter-web/vote-sender.ts';
import type { Attempt, Ending, PageEnd } from './history.ts';
import type { Network } from './network.ts';
import type { Random } from './random.ts';
import { Process, type Timeline } from './timeline.ts';

/** What a voter's page leaves a region after, ms. */
const patienceMs = 3000;

export interface PageParts {
  readonly timeline: Timeline;
  readonly network: Network;
  readonly random: Random;
  readonly history: Attempt[];
  /** Regions in this page's order, nearest first. */
  readonly regions: readonly string[];
  readonly submitTo: (region: string, submitted: Submitted) => Promise<Accepted>;
  readonly submitted: Submitted;
  readonly page: PageEnd;
  /** When the voter gives up and closes it. */
  readonly untilMs: number;
}

/** One page of a voter, from the click to an end: the page's own machine decides each step. */
export function openPage(parts: PageParts): void {
  const { random, regions, page } = parts;
  const browser = new Process(parts.timeline, `page ${page.page}`);
  let state = startSending(regions.length, false);
  const take = (event: SenderEvent): void => {
    state = nextStep(state, event, random.fraction());
    const { todo } = state;
    if (todo.do === 'stop') {
      page.end = todo.end.kind;
      return;
    }
    if (parts.timeline.nowMs > parts.untilMs) {
      page.end = 'given up';
      return;
    }
    if (todo.do === 'wait') browser.after(todo.ms, () => take({ type: 'waited' }));
    else if (todo.do === 'open-ballot') {
      browser.after(5, () => take({ type: 'ballot-opened', regionCount: regions.length }));
    } else post(parts, browser, regions[todo.region]!, take);
  };
  post(parts, browser, regions[0]!, take);
}

function post(
  parts: PageParts,
  browser: Process,
  region: string,
  take: (event: SenderEvent) => void,
): void {
  const { page, network, timeline, submitTo, submitted, history } = parts;
  const { voteId, option } = page;
  const attempt: Attempt = {
    voteId,
    page: page.page,
    option,
    region,
    sentMs: timeline.nowMs,
    endedMs: -1,
    ending: undefined,
  };
  history.push(attempt);
  const end = (ending: Ending, answer: Answer): void => {
    attempt.ending = ending;
    attempt.endedMs = timeline.nowMs;
    take({ type: 'posted', answer });
  };
  network
    .call({
      from: browser,
      point: 'page.post',
      route: `${region}:edge`,
      serve: () => submitTo(region, submitted),
      patienceMs,
      lost: (why) => new Error(why),
    })
    .then(
      (accepted) => end({ how: 'ok', accepted }, okAnswer(accepted)),
      (error: unknown) => end(...failure(error)),
    );
}

function okAnswer({ ballot, confirmation, done }: Accepted): Answer {
  const body = {
    vote_id: ballot.vote_id,
    timestamp: String(done.acceptedAtMs),
    confirmation_code: confirmation.code,
    receipt: 'a receipt',
  };
  return { kind: 'ok', status: 201, body };
}

function failure(error: unknown): [Ending, Answer] {
  if (!(error instanceof ServiceError)) {
    return [{ how: 'unknown', code: String(error) }, { kind: 'none' }];
  }
  const { code, status, message, retryable, retryAfterS, members } = error;
  // What these say of the request is sure: it wrote nothing.
  const isSure = status < 500 || code === 'overloaded' || code === 'not_ready';
  const problem = {
    status,
    error: code,
    message,
    retryable,
    members,
    requestId: null,
    retryAfterS: retryAfterS ?? null,
  };
  return [
    { how: isSure ? 'refused' : 'unknown', code },
    { kind: 'problem', problem },
  ];
}
