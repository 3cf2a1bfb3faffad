import type { Router } from '@koa/router';
import type Koa from 'koa';
import type { Middleware } from 'koa';
import { jitteredRetryS, ServiceError } from './errors.ts';
import type { AppOptions, RequestState } from './http.ts';
import { isPostgresAway } from './postgres.ts';

/** Adds a router's routes; a path that is there with another method is `method_not_allowed`. */
export function useRouter(app: Koa<RequestState>, router: Router<RequestState>): void {
  app.use(router.routes());
  const refuse = (): Error => new ServiceError('method_not_allowed');
  app.use(router.allowedMethods({ throw: true, methodNotAllowed: refuse, notImplemented: refuse }));
}

/** Tells the route as it was declared, never the path: a label must not grow with its visitors. */
export function observeRoutes(
  observe: (labels: { route: string; status: number }, seconds: number) => void,
): NonNullable<AppOptions['observe']> {
  return (context, seconds) => {
    const route = String(context['_matchedRoute'] ?? 'none');
    observe({ route, status: context.status }, seconds);
  };
}

/**
 * Postgres away is trouble that passes: 503 and a time to come back, never a 500. For routes whose
 * writes may be asked for again.
 */
export function answerPostgresAway(random: () => number): Middleware {
  return async (_context, next) => {
    try {
      await next();
    } catch (error) {
      if (error instanceof ServiceError || !isPostgresAway(error)) throw error;
      throw new ServiceError('not_ready', {
        retryAfterS: jitteredRetryS(2, random),
        cause: error,
      });
    }
  };
}
