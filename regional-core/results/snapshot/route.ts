import type { Router } from '@koa/router';
import type { Context } from 'koa';
import { ServiceError } from '#common/errors.ts';
import { answerProblem } from '#common/http.ts';
import { knownSession, type Results, requireReceipt } from '../results.ts';
import { viewOf } from '../view.ts';
import { type EncodedSnapshot, finalUrl } from './encoded-snapshot.ts';

/** The edge asks once a second and serves an old answer while it asks, or while we are away. */
const publicCaching = 'public, max-age=1, stale-while-revalidate=10, stale-if-error=60';

/** GET /results/{session_id}, /results/{session_id}/voted */
export function addSnapshot(router: Router, results: Results): void {
  router.get('/:session_id', (context: Context) => {
    const known = knownSession(results, context);
    if (known === undefined) {
      answerProblem(context, new ServiceError('not_found'));
      // Kept at the edge for a second too: an address that does not exist must not cost us more.
      context.set('cache-control', 'public, max-age=1');
      return;
    }
    const view = viewOf(known, 'public', results.clock.now());
    context.set('cache-control', publicCaching);
    // The final result has moved to where it stands for good.
    const moved = finalUrl(view);
    if (moved !== null) context.set('link', `<${moved}>; rel="canonical"`);
    answer(context, results.snapshots.get(view));
  });

  router.get('/:session_id/voted', (context: Context) => {
    context.set('cache-control', 'private, no-store');
    const known = knownSession(results, context);
    if (known === undefined) throw new ServiceError('not_found');
    requireReceipt(results, context.get('vote-proof'), known);
    answer(context, results.snapshots.get(viewOf(known, 'voter', results.clock.now())));
  });
}

/** Answers with the bytes, or with 304 to who has them. */
export function answer(
  context: Context,
  { body, etag }: Pick<EncodedSnapshot, 'body' | 'etag'>,
): void {
  context.set('etag', etag);
  if (namesEtag(context.get('if-none-match'), etag)) {
    context.status = 304;
    return;
  }
  context.type = 'application/json';
  context.body = body;
}

/** RFC 9110 section 13.1.2: weak comparison with each of a list, or anything at all. */
function namesEtag(header: string, etag: string): boolean {
  if (header.trim() === '*') return true;
  return header.split(',').some((tag) => tag.trim().replace(/^W\//, '') === etag.slice(2));
}
