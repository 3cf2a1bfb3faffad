import { Router } from '@koa/router';
import type Koa from 'koa';
import { createApp, type RequestState } from '#common/http.ts';
import { observeRoutes, useRouter } from '#common/router.ts';
import { addProposeAct } from './acts/propose/route.ts';
import { addActs } from './acts/route.ts';
import { addSignAct } from './acts/sign/route.ts';
import { addAdmins } from './admins/route.ts';
import { addApprovalKeys } from './approval-keys/route.ts';
import { addLogin } from './login/route.ts';
import { addLogout } from './logout/route.ts';
import { addMe } from './me/route.ts';
import type { Portal } from './portal.ts';
import { addRegions } from './regions/route.ts';
import { sameOriginOnly } from './same-origin.ts';
import { addClose } from './sessions/close/route.ts';
import { addCreateSession } from './sessions/create/route.ts';
import { addFinality } from './sessions/finality/route.ts';
import { addOpen } from './sessions/open/route.ts';
import { addRelease } from './sessions/release/route.ts';
import { addSessions } from './sessions/route.ts';
import { retryableStoreTrouble } from './store-trouble.ts';

/** What a request meets, in order. */
export function createPortalApp(
  portal: Portal,
  edge: { readonly originSecrets: readonly string[]; readonly portalUrl: string },
): Koa<RequestState> {
  const app = createApp({
    log: portal.log,
    originSecrets: edge.originSecrets,
    observe: observeRoutes((labels, seconds) =>
      portal.metrics.requestSeconds.observe(labels, seconds),
    ),
  });
  const router = createPortalRouter(portal);
  app.use(sameOriginOnly(edge.portalUrl));
  app.use(retryableStoreTrouble());
  app.use(async (context, next) => {
    // Nothing of an admin's is kept by a cache on the way.
    context.set('cache-control', 'no-store');
    await next();
  });
  useRouter(app, router);
  return app;
}

/** Every route there is. Exported so that a test can hold it against the contracts. */
export function createPortalRouter(portal: Portal): Router {
  const router = new Router({ prefix: '/admin/api/v1' });
  addLogin(router, portal);
  addLogout(router, portal);
  addMe(router, portal);
  addSessions(router, portal);
  addCreateSession(router, portal);
  addOpen(router, portal);
  addClose(router, portal);
  addRelease(router, portal);
  addFinality(router, portal);
  addAdmins(router, portal);
  addApprovalKeys(router, portal);
  addActs(router, portal);
  addProposeAct(router, portal);
  addSignAct(router, portal);
  addRegions(router, portal);
  return router;
}
