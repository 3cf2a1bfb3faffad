import { Router } from '@koa/router';
import type Koa from 'koa';
import { type AppOptions, createApp, type RequestState } from '#common/http.ts';
import type { PublicJwk } from '#common/keys.ts';
import { answerPostgresAway, observeRoutes, useRouter } from '#common/router.ts';
import { accountRoutes } from './account/route.ts';
import { ballotRoutes } from './ballot/route.ts';
import { jwksRoutes } from './jwks/route.ts';
import { loginRoutes } from './login/route.ts';
import type { IdentityMetrics } from './metrics.ts';
import { sessionRoutes } from './session/route.ts';

/** Everything the routes work with; each group takes the part it names. */
export type AppDeps = Parameters<typeof accountRoutes>[1] &
  Parameters<typeof loginRoutes>[1] &
  Parameters<typeof sessionRoutes>[1] &
  Parameters<typeof ballotRoutes>[1] & {
    readonly jwks: readonly PublicJwk[];
    readonly metrics: IdentityMetrics;
    readonly random: () => number;
  };

/**
 * Identity's whole public side: what `createApp` does first, then a Postgres that is away as 503
 * with jittered Retry-After, then the routes. The caller gives it a listener.
 */
export function createIdentityApp(
  options: Omit<AppOptions, 'observe'>,
  deps: AppDeps,
): Koa<RequestState> {
  const app = createApp({
    ...options,
    observe: observeRoutes((labels, seconds) =>
      deps.metrics.requestSeconds.observe(labels, seconds),
    ),
  });
  const router = new Router<RequestState>();
  accountRoutes(router, deps);
  loginRoutes(router, deps);
  sessionRoutes(router, deps);
  ballotRoutes(router, deps);
  jwksRoutes(router, deps.jwks);
  app.use(answerPostgresAway(deps.random));
  useRouter(app, router);
  return app;
}
