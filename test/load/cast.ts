import { randomUUID } from 'node:crypto';
import { sleep } from '#common/clock.ts';
import { judgeAnswer, judgeSilence, type Verdict, waitAfter } from './attempt.ts';
import type { Voter } from './ballots.ts';
import { type Connections, TimeoutError } from './connections.ts';
import type { Outcome } from './gauge.ts';
import type { Session } from './session.ts';
import type { Target } from './target.ts';

export interface Casting {
  readonly target: Target;
  readonly connections: Connections;
  readonly session: Session;
  /** Header lines that an edge would add for the viewer, where the crowd stands in its place. */
  readonly edgeHeaders?: (viewer: number) => string;
  /** After this long the voter goes away: a minute, unless said otherwise. */
  readonly patienceMs?: number;
  /** Told of each attempt that was not answered with 201. */
  readonly onFailure: (code: string, sentAtMs: number) => void;
}

export interface Cast {
  readonly outcome: Outcome;
  /** The 201's body. */
  readonly body: string | undefined;
  /** Code of the last answer that was not a 201. */
  readonly code: string | undefined;
}

/** After this long without an answer the page tries again, in the next region if there is one. */
const attemptMs = 3_000;
const patience = 60_000;

/**
 * Sends one vote as the voter's page does: the same choice and the same key until it is accepted or
 * refused, the next region when there is another, until the voter's patience ends.
 */
export async function castVote(
  casting: Casting,
  voter: Voter,
  viewer: number,
  option: number,
): Promise<Cast> {
  const { target, connections, patienceMs = patience, edgeHeaders = () => '' } = casting;
  const request = voteRequest(casting, voter, option, edgeHeaders(viewer));
  const givesUpAt = performance.now() + patienceMs;
  let mayBeRecorded = false;
  for (let attempt = 0; ; attempt += 1) {
    const text = request(target.prefixes[attempt % target.prefixes.length]!);
    const sentAtMs = performance.now();
    let body: string | undefined;
    let verdict: Verdict;
    try {
      const answer = await connections.request(viewer, text, attemptMs);
      verdict = judgeAnswer(answer);
      body = answer.body;
    } catch (error) {
      verdict = judgeSilence(error instanceof TimeoutError ? 'timeout' : 'network');
    }
    if (verdict.kind === 'accepted') return { outcome: 'accepted', body, code: undefined };
    const { kind, code } = verdict;
    casting.onFailure(code, sentAtMs);
    if (kind === 'again') {
      mayBeRecorded ||= verdict.mayBeRecorded;
      const regions = target.prefixes.length;
      const waitMs = waitAfter(verdict.askedMs, attempt + 1, regions, Math.random());
      if (performance.now() + waitMs < givesUpAt) {
        await sleep(waitMs);
        continue;
      }
    }
    // What an earlier attempt wrote is not undone by a later refusal.
    return { outcome: mayBeRecorded ? 'unknown' : 'refused', body: undefined, code };
  }
}

/** The request's text for each way in; made once a voter, sent again as it is. */
export function voteRequest(
  { target, session }: Pick<Casting, 'target' | 'session'>,
  voter: Voter,
  option: number,
  edgeHeaders = '',
): (prefix: string) => string {
  const { sessionId, optionIds } = session;
  const body =
    `{"session_id":"${sessionId}","option_id":"${optionIds[option % optionIds.length]}",` +
    `"client_metadata":{"timezone":"UTC"}}`;
  const rest =
    `/api/v1/votes HTTP/1.1\r\nHost: ${target.host}\r\n${edgeHeaders}` +
    `Authorization: Bearer ${voter.ballotToken}\r\nIdempotency-Key: ${randomUUID()}\r\n` +
    `Content-Type: application/json\r\nContent-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`;
  return (prefix) => `POST ${prefix}${rest}`;
}
