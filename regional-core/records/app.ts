import { Router } from '@koa/router';
import type Koa from 'koa';
import { createApp, type RequestState } from '#common/http.ts';
import { answerPostgresAway, observeRoutes, useRouter } from '#common/router.ts';
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
    observe: observeRoutes((labels, seconds) =>
      records.metrics.requestSeconds.observe(labels, seconds),
    ),
  });
  const router = new Router();
  addVoteState(router, records);
  addBalance(router, records);
  app.use(answerPostgresAway(records.random));
  useRouter(app, router);
  return app;
}
