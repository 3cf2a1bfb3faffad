import type { Router } from '@koa/router';
import type { Portal } from '../../portal.ts';
import { changeTimes } from '../change.ts';
import { decideOpening } from '../times.ts';

/** POST /sessions/{session_id}/open: opens a scheduled session now; an open one stays as it is. */
export function addOpen(router: Router, portal: Portal): void {
  router.post('/sessions/:session_id/open', async (context) => {
    context.body = await changeTimes(portal, context, {
      sessionId: context.params['session_id'] ?? '',
      change: 'open',
      decide: decideOpening,
    });
  });
}
