import type { Router } from '@koa/router';
import type { Clock } from '#common/clock.ts';
import { ServiceError } from '#common/errors.ts';
import type { RequestState } from '#common/http.ts';
import { isUuid } from '#common/uuid.ts';
import { answerJson } from '../answer.ts';
import type { ListedSession, SessionList } from './session-list.ts';
import { viewSession, viewSessions } from './session-view.ts';

export interface SessionDeps {
  readonly sessions: SessionList;
  readonly clock: Clock;
  readonly resultsUrl: string;
}

/** Opening and closing are seen by everybody within this second. */
const cacheControl = 'public, max-age=1';

/**
 * `GET /api/v1/sessions` and `/sessions/{session_id}`, cached for 1 s. The list is `not_ready`
 * until the sessions were read once; a session that is not known is looked up.
 */
export function sessionRoutes(router: Router<RequestState>, deps: SessionDeps): void {
  const { sessions, clock, resultsUrl } = deps;
  router.get('/api/v1/sessions', (context) => {
    if (!sessions.isLoaded) throw new ServiceError('not_ready');
    const listed = viewSessions(sessions.all(), resultsUrl, clock.now());
    answerJson(context, 200, { sessions: listed }, cacheControl);
  });
  router.get('/api/v1/sessions/:session_id', async (context) => {
    const session = await requireSession(sessions, context.params['session_id']);
    answerJson(context, 200, viewSession(session, resultsUrl, clock.now()), cacheControl);
  });
}

/** The session of a path. Throws `not_found`, or Postgres's error where that cannot be told. */
export async function requireSession(
  sessions: SessionList,
  sessionId: string | undefined,
): Promise<ListedSession> {
  const session = isUuid(sessionId) ? await sessions.find(sessionId) : undefined;
  if (session === undefined) throw new ServiceError('not_found');
  return session;
}
