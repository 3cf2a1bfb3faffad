import { randomBytes } from 'node:crypto';
import { sleep } from '#common/clock.ts';
import { printableCodes, readVotingCodeKey } from '../../local/cli/codes.ts';
import type { Connections } from './connections.ts';
import type { Target } from './target.ts';

/** A voter with a ballot, ready to vote. */
export interface Voter {
  readonly ballotToken: string;
  readonly voteId: string;
}

const requestMsMax = 10_000;
const attemptsMax = 5;
const atOnce = 16;
/** Ballots are opened ahead of the rush, at a rate that leaves the machine some air. */
export const ballotsPerSecondMax = 1_000;

/** Voting codes for a session, printed with the stack's own key; as many as are asked for. */
export function printCodes(target: Target, sessionId: string, count: number): Iterator<string> {
  const key = readVotingCodeKey(target.secrets);
  return printableCodes(key, sessionId, count, randomBytes);
}

/**
 * Redeems one code for a ballot, through the edge.
 *
 * @throws Error when it is refused, or fails five times
 */
export async function openBallot(
  target: Target,
  connections: Connections,
  sessionId: string,
  code: string,
  viewer: number,
): Promise<Voter> {
  const body = JSON.stringify({ code });
  const text =
    `POST /api/v1/sessions/${sessionId}/ballot HTTP/1.1\r\nHost: ${target.host}\r\n` +
    `Content-Type: application/json\r\nContent-Length: ${body.length}\r\n\r\n${body}`;
  for (let attempt = 1; ; attempt += 1) {
    const answer = await connections
      .request(viewer, text, requestMsMax)
      .catch((error: Error) => ({ status: 0, body: error.message }));
    if (answer.status === 200) {
      const { ballot_token: ballotToken } = JSON.parse(answer.body) as { ballot_token: string };
      return { ballotToken, voteId: voteIdOf(ballotToken) };
    }
    const isWorthATry = answer.status === 0 || answer.status === 429 || answer.status >= 500;
    if (!isWorthATry || attempt === attemptsMax) {
      const what = answer.body.slice(0, 300);
      throw new Error(`A ballot was not opened (status ${answer.status}): ${what}`);
    }
    await sleep(500 * attempt);
  }
}

/** Opens `count` ballots, at most 1,000 a second and 16 at once. */
export async function openBallots(
  target: Target,
  connections: Connections,
  sessionId: string,
  count: number,
  onProgress: (opened: number) => void,
): Promise<Voter[]> {
  const codes = printCodes(target, sessionId, count);
  const voters: Voter[] = [];
  const startedAt = performance.now();
  let begun = 0;
  const open = async (): Promise<void> => {
    while (begun < count) {
      const number = begun;
      begun += 1;
      const dueMs = startedAt + (number / ballotsPerSecondMax) * 1000;
      if (performance.now() < dueMs) await sleep(dueMs - performance.now());
      const code = codes.next().value as string;
      voters.push(await openBallot(target, connections, sessionId, code, number));
      if (voters.length % 500 === 0) onProgress(voters.length);
    }
  };
  await Promise.all(Array.from({ length: atOnce }, open));
  onProgress(voters.length);
  return voters;
}

/**
 * The vote id that a ballot carries, read without checking: the ballot came from the stack itself.
 */
function voteIdOf(ballotToken: string): string {
  const payload = Buffer.from(ballotToken.split('.')[1] ?? '', 'base64url').toString();
  return (JSON.parse(payload) as { vote_id: string }).vote_id;
}
