import type { Router } from '@koa/router';
import type { Portal } from '../../portal.ts';
import { changeTimes } from '../change.ts';
import { decideClosing } from '../times.ts';

/** POST /sessions/{session_id}/close: closes an open session 10 seconds from now. */
export function addClose(router: Router, portal: Portal): void {
  router.post('/sessions/:session_id/close', async (context) => {
    context.body = await changeTimes(portal, context, {
      sessionId: context.params['session_id'] ?? '',
      change: 'close',
      decide: decideClosing,
    });
  });
}
