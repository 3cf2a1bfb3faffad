import type Koa from 'koa';
import type { Context } from 'koa';
import { ServiceError } from '#common/errors.ts';
import { type AppOptions, createApp, type RequestState } from '#common/http.ts';
import { type CastVoteParts, castVote } from './cast-vote.ts';

const votesPath = '/api/v1/votes';

/** One route, so no router: the vote path is compared and called. */
export function createIntakeApp(options: AppOptions, parts: CastVoteParts): Koa<RequestState> {
  const app = createApp(options);
  const cast = castVote(parts);
  app.use(async (context: Context) => {
    if (context.path !== votesPath) throw new ServiceError('not_found');
    if (context.method !== 'POST') {
      context.set('allow', 'POST');
      throw new ServiceError('method_not_allowed');
    }
    await cast(context);
  });
  return app;
}
