import type { Router } from '@koa/router';
import { authenticate, type Portal } from '../portal.ts';

/** GET /me: who is logged in. */
export function addMe(router: Router, portal: Portal): void {
  router.get('/me', async (context) => {
    const { email, role } = await authenticate(portal, context);
    context.body = { email, role };
  });
}
