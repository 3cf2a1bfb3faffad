import { randomBytes, randomUUID } from 'node:crypto';
import { sleep } from '#common/clock.ts';
import { signBallot } from '#common/contracts/ballot-token.ts';
import { uuidV8 } from '#common/uuid.ts';
import { judgeAnswer, judgeSilence, type Verdict, waitAfter } from '../../load/attempt.ts';
import { Connections, TimeoutError } from '../../load/connections.ts';
import type { LabKeys } from '../lab/lab.ts';
import type { Attempt, History } from './history.ts';

/** Where a region takes votes. */
export interface WayIn {
  readonly region: string;
  readonly port: number;
}

export interface Voter {
  readonly voteId: string;
  readonly ballotToken: string;
  /** Made before the first attempt and the same in all of them. */
  readonly key: string;
  /** The address that the edge saw. */
  readonly address: string;
}

interface LabSession {
  readonly sessionId: string;
  readonly optionIds: readonly string[];
}

const attemptMs = 3000;
const addresses = 64;
const ballotS = 3600;

/**
 * Voters of one session, with ballots that the lab signs with identity's own key: opening them one
 * by one would only make scenarios longer. They come past the edge, straight to the load balancer
 * of a region, with the edge's secret.
 */
export class Voters {
  readonly #keys: LabKeys;
  readonly #session: LabSession;
  readonly #history: History;
  readonly #connections: ReadonlyMap<string, Connections>;
  #made = 0;

  constructor(keys: LabKeys, session: LabSession, ways: readonly WayIn[], history: History) {
    this.#keys = keys;
    this.#session = session;
    this.#history = history;
    this.#connections = new Map(
      ways.map(({ region, port }) => [region, new Connections(port, addresses)]),
    );
  }

  make(): Voter {
    this.#made += 1;
    const voteId = uuidV8(randomBytes(16));
    const ballot = {
      vote_id: voteId,
      session_id: this.#session.sessionId,
      jti: randomBytes(16).toString('base64url'),
      exp: Math.floor(Date.now() / 1000) + ballotS,
      acr: 'code',
      challenge: 'not_asked',
    } as const;
    const address = `10.${(this.#made >> 16) & 255}.${(this.#made >> 8) & 255}.${this.#made & 255}`;
    return {
      voteId,
      ballotToken: signBallot(ballot, this.#keys.ballot),
      key: randomUUID(),
      address,
    };
  }

  /** One request, put down in the history. Never throws. */
  async attempt(
    voter: Voter,
    optionNo: number,
    region: string,
    msMax = attemptMs,
  ): Promise<{ attempt: Attempt; verdict: Verdict }> {
    const connections = this.#connections.get(region);
    if (connections === undefined) throw new Error(`no way into ${region}`);
    const attempt = this.#history.invoke(voter.voteId, optionNo, region);
    try {
      const text = this.#request(voter, optionNo, region);
      const answer = await connections.request(this.#made, text, msMax);
      const verdict = judgeAnswer(answer);
      this.#history.end(attempt, {
        outcome: outcomeOf(verdict),
        code: verdict.kind === 'accepted' ? undefined : verdict.code,
        status: answer.status,
        answer: verdict.kind === 'accepted' ? JSON.parse(answer.body) : undefined,
      });
      return { attempt, verdict };
    } catch (error) {
      const code = error instanceof TimeoutError ? 'timeout' : 'network';
      const how = { outcome: 'unknown', code, status: undefined, answer: undefined } as const;
      this.#history.end(attempt, how);
      return { attempt, verdict: judgeSilence(code) };
    }
  }

  /**
   * Votes as the page does: the same choice and key until it is accepted or refused, the next
   * region after each failure, for `patienceMs`. Resolves to the last attempt.
   */
  async vote(
    voter: Voter,
    optionNo: number,
    regions: readonly string[],
    patienceMs: number,
  ): Promise<Attempt> {
    const givesUpAt = performance.now() + patienceMs;
    for (let failed = 0; ; failed += 1) {
      const region = regions[failed % regions.length]!;
      const { attempt, verdict } = await this.attempt(voter, optionNo, region);
      if (verdict.kind !== 'again') return attempt;
      const waitMs = waitAfter(verdict.askedMs, failed + 1, regions.length, Math.random());
      if (performance.now() + waitMs > givesUpAt) return attempt;
      await sleep(waitMs);
    }
  }

  close(): void {
    for (const connections of this.#connections.values()) connections.close();
  }

  #request(voter: Voter, optionNo: number, region: string): string {
    const { sessionId, optionIds } = this.#session;
    const body = JSON.stringify({ session_id: sessionId, option_id: optionIds[optionNo] });
    return (
      `POST /r/${region}/api/v1/votes HTTP/1.1\r\nHost: lab\r\n` +
      `x-origin-secret: ${this.#keys.originSecret}\r\n` +
      `cloudfront-viewer-address: ${voter.address}:40000\r\n` +
      `Authorization: Bearer ${voter.ballotToken}\r\nIdempotency-Key: ${voter.key}\r\n` +
      `Content-Type: application/json\r\nContent-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`
    );
  }
}

function outcomeOf(verdict: Verdict): 'ok' | 'fail' | 'unknown' {
  if (verdict.kind === 'accepted') return 'ok';
  return verdict.kind === 'again' && verdict.mayBeRecorded ? 'unknown' : 'fail';
}
