import type { Router } from '@koa/router';
import { authenticate, type Portal } from '../../portal.ts';
import { readActsOf, readFinality } from '../../sql/read-finality.ts';
import { readLogs } from '../../sql/read-logs.ts';
import { sessionOf } from '../change.ts';
import { presentFinality } from './view.ts';

const actsMax = 50;

/** GET /sessions/{session_id}/finality. */
export function addFinality(router: Router, portal: Portal): void {
  router.get('/sessions/:session_id/finality', async (context) => {
    await authenticate(portal, context);
    const session = await sessionOf(portal.pool, context.params['session_id'] ?? '');
    const row = await readFinality(portal.pool, session.session_no);
    const logs = await readLogs(portal.pool, session.session_no);
    const acts = await readActsOf(portal.pool, session.session_id, actsMax);
    context.body = presentFinality({ session, row, logs, acts }, portal.clock.now());
  });
}
