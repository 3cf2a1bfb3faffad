import type { Router } from '@koa/router';
import type { Context } from 'koa';
import { type RequestState, readJson, viewerAddress } from '#common/http.ts';
import type { JsonObject } from '#common/strict-json.ts';
import { answerJson, bodyBytesMax } from '../answer.ts';
import { parseBody } from '../parse-body.ts';
import { requireSession } from '../session/route.ts';
import type { SessionList } from '../session/session-list.ts';
import { type AuthenticateDeps, authenticate } from '../token/authenticate.ts';
import { ballotBody } from './contract.ts';
import { type BallotDeps, openBallot, voterByAccount, voterByCode } from './open-ballot.ts';

/**
 * `POST /api/v1/sessions/{session_id}/ballot`, by a voting code in the body or else by the access
 * token; with a code the token is not looked at.
 */
export function ballotRoutes(
  router: Router<RequestState>,
  deps: BallotDeps & AuthenticateDeps & { readonly sessions: SessionList },
): void {
  router.post('/api/v1/sessions/:session_id/ballot', async (context) => {
    const { code } = parseBody(ballotBody, await readOptionalJson(context));
    // Who shows neither code nor token is told so, whatever the session.
    const claims = code === undefined ? await authenticate(deps, context) : undefined;
    const session = await requireSession(deps.sessions, context.params['session_id']);
    const voter =
      claims === undefined
        ? await voterByCode(deps, session, code!, viewerAddress(context))
        : voterByAccount(session, claims);
    answerJson(context, 200, await openBallot(deps, session, voter));
  });
}

/** A login says all by its token: its request may come without a body. */
async function readOptionalJson(context: Context): Promise<JsonObject> {
  const hasBody =
    Number(context.get('content-length') || 0) > 0 || context.get('transfer-encoding') !== '';
  return hasBody ? await readJson(context, bodyBytesMax) : {};
}
