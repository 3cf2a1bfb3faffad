import { Router } from '@koa/router';
import type Koa from 'koa';
import { createApp, type RequestState } from '#common/http.ts';
import type { Log } from '#common/log.ts';
import { observeRoutes, useRouter } from '#common/router.ts';
import type { Results } from './results.ts';
import { addFinal } from './snapshot/final.ts';
import { addSnapshot } from './snapshot/route.ts';
import { addStream } from './stream/route.ts';

/** What a request meets, in order. */
export function createResultsApp(
  results: Results,
  edge: { log: Log; region: string; originSecrets: readonly string[] },
): Koa<RequestState> {
  const app = createApp({
    ...edge,
    observe: observeRoutes(({ route, status }, seconds) =>
      results.metrics.answered(route, status, seconds),
    ),
  });
  const router = new Router({ prefix: '/api/v1/results' });
  addSnapshot(router, results);
  addFinal(router, results);
  addStream(router, results);
  useRouter(app, router);
  return app;
}
