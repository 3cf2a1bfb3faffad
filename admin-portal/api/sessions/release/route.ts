import type { Router } from '@koa/router';
import type { Portal } from '../../portal.ts';
import { releaseSession } from '../../sql/release-session.ts';
import { changeSession } from '../change.ts';
import { decideRelease } from './decide.ts';

/** POST /sessions/{session_id}/release: shows everyone the results, from now on. */
export function addRelease(router: Router, portal: Portal): void {
  router.post('/sessions/:session_id/release', async (context) => {
    context.body = await changeSession(portal, context, {
      sessionId: context.params['session_id'] ?? '',
      change: 'release',
      decide: decideRelease,
      write: releaseSession,
    });
  });
}
