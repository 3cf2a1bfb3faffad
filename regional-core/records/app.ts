import { Router } from '@koa/router';
import type Koa from 'koa';
import { jitteredRetryS, ServiceError } from '#common/errors.ts';
import { createApp, type RequestState } from '#common/http.ts';
import { isPostgresAway } from '#common/postgres.ts';
import { addBalance } from './balance/route.ts';
import type { Records } from './records.ts';
import { addVoteState } from './vote-state/route.ts';

/** What a request meets, in order. */
export function createRecordsApp(
  records: Records,
  edge: { readonly region: string; readonly originSecrets: readonly string[] },
): Koa<RequestState> {
  const app = createApp({
    ...edge,
    log: records.log,
    observe: (context, seconds) => {
      const route = String(context['_matchedRoute'] ?? 'none');
      records.metrics.requestSeconds.observe({ route, status: context.status }, seconds);
    },
  });
  const router = new Router();
  addVoteState(router, records);
  addBalance(router, records);
  app.use(async (_context, next) => {
    try {
      await next();
    } catch (error) {
      if (error instanceof ServiceError || !isPostgresAway(error)) throw error;
      const retryAfterS = jitteredRetryS(2, records.random);
      throw new ServiceError('not_ready', { retryAfterS, cause: error });
    }
  });
  app.use(router.routes());
  const wrongMethod = (): ServiceError => new ServiceError('method_not_allowed');
  app.use(
    router.allowedMethods({
      throw: true,
      methodNotAllowed: wrongMethod,
      notImplemented: wrongMethod,
    }),
  );
  return app;
}
