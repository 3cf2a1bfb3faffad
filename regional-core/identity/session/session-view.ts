import { toTimestamp } from '#common/clock.ts';
import { sessionState } from '#common/contracts/session.ts';
import type { ListedSession } from './session-list.ts';

/** Sessions a list shows at most. */
export const listedSessionsMax = 100;

/** A session as everybody may see it. `resultsUrl` is the prefix under which results are read. */
export function viewSession(session: ListedSession, resultsUrl: string, nowMs: number) {
  return {
    session_id: session.session_id,
    title: session.title,
    state: sessionState(session, nowMs),
    opens_at: toTimestamp(session.opens_at_ms),
    closes_at: toTimestamp(session.closes_at_ms),
    options: session.options,
    eligibility: session.eligibility.map((policy) => ({ policy })),
    results_policy: session.results_policy,
    version: session.version,
    results_url: resultsUrl,
  };
}

/** Open and scheduled sessions, newest first, at most `listedSessionsMax`. */
export function viewSessions(
  newestFirst: readonly ListedSession[],
  resultsUrl: string,
  nowMs: number,
) {
  return newestFirst
    .filter((session) => sessionState(session, nowMs) !== 'closed')
    .slice(0, listedSessionsMax)
    .map((session) => viewSession(session, resultsUrl, nowMs));
}
