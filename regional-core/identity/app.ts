import { Router } from '@koa/router';
import type Koa from 'koa';
import { ServiceError } from '#common/errors.ts';
import { type AppOptions, createApp, type RequestState } from '#common/http.ts';
import type { PublicJwk } from '#common/keys.ts';
import { accountRoutes } from './account/route.ts';
import { ballotRoutes } from './ballot/route.ts';
import { jwksRoutes } from './jwks/route.ts';
import { loginRoutes } from './login/route.ts';
import type { IdentityMetrics } from './metrics.ts';
import { answerPostgresAway } from './postgres-away.ts';
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

export function createIdentityApp(
  options: Omit<AppOptions, 'observe'>,
  deps: AppDeps,
): Koa<RequestState> {
  const app = createApp({
    ...options,
    observe: (context, seconds) => {
      const route = String(context['_matchedRoute'] ?? 'none');
      deps.metrics.requestSeconds.observe({ route, status: context.status }, seconds);
    },
  });
  const router = new Router<RequestState>();
  accountRoutes(router, deps);
  loginRoutes(router, deps);
  sessionRoutes(router, deps);
  ballotRoutes(router, deps);
  jwksRoutes(router, deps.jwks);
  app.use(answerPostgresAway(deps.random));
  app.use(router.routes());
  const wrongMethod = (): Error => new ServiceError('method_not_allowed');
  app.use(
    router.allowedMethods({
      throw: true,
      methodNotAllowed: wrongMethod,
      notImplemented: wrongMethod,
    }),
  );
  return app;
}
