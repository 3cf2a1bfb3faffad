import type { Router } from '@koa/router';
import type { Context } from 'koa';
import { ServiceError } from '#common/errors.ts';
import { answerProblem, viewerAddress } from '#common/http.ts';
import { comeBackLater, knownSession, type Results, requireReceipt } from '../results.ts';
import type { Known } from '../state.ts';
import type { Viewer } from '../view.ts';
import type { StreamForm } from './change.ts';
import { streamQuery } from './contract.ts';
import { parseLastEventId } from './sse.ts';

/** GET /results/{session_id}/stream */
export function addStream(router: Router, results: Results): void {
  router.get('/:session_id/stream', (context: Context) => {
    const known = knownSession(results, context);
    if (known === undefined) throw new ServiceError('not_found');
    if (results.draining()) throw comeBackLater('not_ready', results.random);
    const query = streamQuery.safeParse(context.query);
    if (!query.success) throw new ServiceError('invalid_request');
    const { format, covers, proof } = query.data;
    if (proof !== undefined) requireReceipt(results, proof, known);
    context.status = 200;
    context.set('content-type', 'text/event-stream; charset=utf-8');
    // What is encoded anew on the way would be held back until a buffer is full.
    context.set('cache-control', 'no-store, no-transform');
    if (context.method === 'HEAD') {
      context.body = '';
      return;
    }
    open(results, context, {
      known,
      viewer: proof === undefined ? 'public' : 'voter',
      form: { format: format ?? 'vote_update', withCovers: covers === '1' },
    });
  });
}

function open(
  { places, broadcaster, metrics, random }: Results,
  context: Context,
  wanted: { known: Known; viewer: Viewer; form: StreamForm },
): void {
  const response = context.res;
  const { socket } = response;
  // Absent when the answer to an earlier request on this connection is still under way: a stream
  // that waits for its turn would be one that nobody can see or bound.
  if (socket === null || socket.destroyed) throw new ServiceError('invalid_request');
  const address = viewerAddress(context);
  const place = places.take(address);
  if (place !== 'taken') {
    metrics.streamRefused(place);
    // Answered here and not thrown: a log line for each of a million viewers helps nobody.
    const code = place === 'full' ? 'overloaded' : 'rate_limit_exceeded';
    return answerProblem(context, comeBackLater(code, random));
  }
  response.once('close', () => places.release(address));
  // From here on the response is the broadcaster's, not Koa's.
  context.respond = false;
  broadcaster.open({
    ...wanted,
    lastSequence: parseLastEventId(context.get('last-event-id')),
    response,
    socket,
  });
}
