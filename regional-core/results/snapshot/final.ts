import type { Router } from '@koa/router';
import type { Context } from 'koa';
import type { SessionMessage } from '#common/contracts/session.ts';
import { ServiceError } from '#common/errors.ts';
import { answerProblem } from '#common/http.ts';
import { knownSession, type Results } from '../results.ts';
import { percentagesOf, viewOf } from '../view.ts';
import { answer } from './route.ts';

const foreverCaching = 'public, max-age=31536000, immutable';

/** GET /results/{session_id}/final/{digest}: says one thing for ever, or 404. */
export function addFinal(router: Router, results: Results): void {
  router.get('/:session_id/final/:digest', (context: Context) => {
    const known = knownSession(results, context);
    const view = known && viewOf(known, 'public', results.clock.now());
    const { digest } = context['params'] as { digest: string };
    if (view?.known.session.final?.digest !== digest || view.counts === null) {
      answerProblem(context, new ServiceError('not_found'));
      context.set('cache-control', 'public, max-age=1');
      return;
    }
    context.set('cache-control', foreverCaching);
    const body = JSON.stringify(finalOf(view.known.session, view.counts));
    // Encoded each time: the edge asks once. The digest names the content, and so it is its tag.
    answer(context, { body: Buffer.from(body), etag: `W/"${digest}"` });
  });
}

function finalOf({ session_id, title, options, final }: SessionMessage, counts: readonly number[]) {
  const percentages = percentagesOf(counts);
  return {
    session_id,
    title,
    total_votes: final!.total,
    options: options.map(({ option_id, label }, optionNo) => ({
      option_id,
      label,
      vote_count: counts[optionNo],
      percentage: percentages[optionNo],
    })),
    is_finalized: true,
    digest: final!.digest,
    act_hash: final!.act_hash,
  };
}
