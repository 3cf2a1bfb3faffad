import type { Router } from '@koa/router';
import { authenticate, type Portal } from '../portal.ts';
import { listSessions } from '../sql/list-sessions.ts';
import { sessionOf } from './change.ts';
import { presentSession } from './view.ts';

const sessionsMax = 200;

/** GET /sessions and GET /sessions/{session_id}. */
export function addSessions(router: Router, portal: Portal): void {
  router.get('/sessions', async (context) => {
    await authenticate(portal, context);
    const rows = await listSessions(portal.pool, sessionsMax);
    context.body = { sessions: rows.map((row) => presentSession(row, portal.clock.now())) };
  });
  router.get('/sessions/:session_id', async (context) => {
    await authenticate(portal, context);
    const row = await sessionOf(portal.pool, context.params['session_id'] ?? '');
    context.body = presentSession(row, portal.clock.now());
  });
}
