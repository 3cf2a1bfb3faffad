import { sleep } from '#common/clock.ts';
import { openBallot, printCodes } from './ballots.ts';
import { castVote } from './cast.ts';
import { Connections } from './connections.ts';
import type { Say } from './run.ts';
import { readSession } from './session.ts';
import { readTarget } from './target.ts';

const votersMax = 10_000_000;
const addresses = 64;
const minuteMs = 60_000;

/**
 * A gentle crowd in the demo session, so that a newcomer sees bars move: each voter redeems a code,
 * opens a ballot and votes; the favourites drift. Ends when the session closes or `stop` fires.
 *
 * @param rate votes a second
 */
export async function runDemo(rate: number, say: Say, stop: AbortSignal): Promise<void> {
  const target = readTarget();
  const session = await readSession(target, target.stack.demo.session_id);
  const codes = printCodes(target, session.sessionId, votersMax);
  const connections = new Connections(target.port, addresses);
  const weights = session.optionIds.map(() => 1 + Math.random());
  const casting = { target, connections, session, onFailure: () => {} };
  say(`a gentle crowd votes in the demo session, ${rate} votes a second`);
  let accepted = 0;
  let lastCode: string | undefined;
  const closed = new AbortController();
  const over = AbortSignal.any([stop, closed.signal]);
  const voteOnce = async (code: string, viewer: number): Promise<void> => {
    const voter = await openBallot(target, connections, session.sessionId, code, viewer);
    const cast = await castVote(casting, voter, viewer, pick(weights, Math.random()));
    if (cast.outcome === 'accepted') accepted += 1;
    else lastCode = cast.code;
    if (cast.code === 'session_closed') closed.abort();
  };
  const startedAt = performance.now();
  let nextReportMs = startedAt + minuteMs;
  for (let number = 0; !over.aborted && number < votersMax; number += 1) {
    const code = codes.next().value as string;
    // One voter's bad luck is no reason to end the crowd.
    voteOnce(code, number).catch((error: Error) => (lastCode = error.message));
    drift(weights, Math.random);
    if (performance.now() > nextReportMs) {
      say(`${accepted} demo votes accepted${lastCode === undefined ? '' : `, last: ${lastCode}`}`);
      nextReportMs += minuteMs;
      lastCode = undefined;
    }
    await sleep(startedAt + ((number + 1) / rate) * 1000 - performance.now(), over);
  }
  connections.close();
  say(`the demo crowd has ended after ${accepted} votes`);
}

/** The index of a weight, each as likely as it is heavy. */
export function pick(weights: readonly number[], random: number): number {
  let left = random * weights.reduce((sum, weight) => sum + weight, 0);
  for (const [index, weight] of weights.entries()) {
    left -= weight;
    if (left < 0) return index;
  }
  return weights.length - 1;
}

/** Favour moves a little with every voter; nobody is ever out of the race. */
function drift(weights: number[], random: () => number): void {
  for (const [index, weight] of weights.entries()) {
    weights[index] = Math.min(5, Math.max(0.3, weight * (0.97 + random() * 0.06)));
  }
}
