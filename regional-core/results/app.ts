import { Router } from '@koa/router';
import type Koa from 'koa';
import { ServiceError } from '#common/errors.ts';
import { createApp, type RequestState } from '#common/http.ts';
import type { Log } from '#common/log.ts';
import type { Results } from './results.ts';
import { addSnapshot } from './snapshot/route.ts';
import { addStream } from './stream/route.ts';

/** What a request meets, in order. */
export function createResultsApp(
  results: Results,
  edge: { log: Log; region: string; originSecrets: readonly string[] },
): Koa<RequestState> {
  const app = createApp({
    ...edge,
    observe: (context, seconds) => {
      const route = String(context['_matchedRoute'] ?? 'none');
      results.metrics.answered(route, context.status, seconds);
    },
  });
  const router = new Router({ prefix: '/api/v1/results' });
  addSnapshot(router, results);
  addStream(router, results);
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
