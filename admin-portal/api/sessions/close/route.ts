import type { Router } from '@koa/router';
import type { Portal } from '../../portal.ts';
import { updateSessionTimes } from '../../sql/update-session-times.ts';
import { changeSession } from '../change.ts';
import { decideClosing, timesOf } from '../times.ts';

/** POST /sessions/{session_id}/close: closes an open session 10 seconds from now. */
export function addClose(router: Router, portal: Portal): void {
  router.post('/sessions/:session_id/close', async (context) => {
    context.body = await changeSession(portal, context, {
      sessionId: context.params['session_id'] ?? '',
      change: 'close',
      decide: (row, nowMs) => decideClosing(timesOf(row), nowMs),
      write: updateSessionTimes,
    });
  });
}
