import { freshToken, readLogin } from './account.ts';
import type { Answer, ApiRequest } from './api.ts';
import type { TextStore } from './kept-vote.ts';
import { type Ballot, readBallot } from './session.ts';

export type BallotWorld = {
  ask: (url: string, request: ApiRequest) => Promise<Answer>;
  /** sessionStorage: where the login is. */
  tabStore: TextStore;
  now: () => number;
};

/** How opening a ballot ended; null when there is neither a code nor a login to open it with. */
export type Opened = { ballot: Ballot } | { answer: Answer } | null;

/** Opens a ballot with a voting code, or without one by the login of this tab. */
export async function openBallot(
  sessionId: string,
  code: string | null,
  world: BallotWorld,
): Promise<Opened> {
  if (code !== null) return await request(sessionId, { code }, {}, world);
  const first = await byLogin(sessionId, false, world);
  const refused =
    first !== null &&
    'answer' in first &&
    first.answer.kind === 'problem' &&
    first.answer.problem.status === 401;
  // The token may be revoked or the clock here wrong: renewed once, then the login is asked.
  return refused ? await byLogin(sessionId, true, world) : first;
}

async function byLogin(sessionId: string, renew: boolean, world: BallotWorld): Promise<Opened> {
  const token = await freshToken(world.tabStore, world.ask, world.now(), renew);
  if (token === null) {
    const stillLoggedIn = readLogin(world.tabStore) !== null;
    return stillLoggedIn ? { answer: { kind: 'none' } } : null;
  }
  return await request(sessionId, {}, { authorization: `Bearer ${token}` }, world);
}

async function request(
  sessionId: string,
  body: { code?: string },
  headers: Record<string, string>,
  world: BallotWorld,
): Promise<Opened> {
  const url = `/api/v1/sessions/${encodeURIComponent(sessionId)}/ballot`;
  const answer = await world.ask(url, { method: 'POST', headers, body });
  const ballot = readBallot(answer, sessionId, world.now());
  if (ballot !== null) return { ballot };
  return { answer: answer.kind === 'ok' ? { kind: 'none' } : answer };
}
