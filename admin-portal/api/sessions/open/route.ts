import type { Router } from '@koa/router';
import type { Portal } from '../../portal.ts';
import { updateSessionTimes } from '../../sql/update-session-times.ts';
import { changeSession } from '../change.ts';
import { decideOpening, timesOf } from '../times.ts';

/** POST /sessions/{session_id}/open: opens a scheduled session now; an open one stays as it is. */
export function addOpen(router: Router, portal: Portal): void {
  router.post('/sessions/:session_id/open', async (context) => {
    context.body = await changeSession(portal, context, {
      sessionId: context.params['session_id'] ?? '',
      change: 'open',
      decide: (row, nowMs) => decideOpening(timesOf(row), nowMs),
      write: updateSessionTimes,
    });
  });
}
