import type { Router } from '@koa/router';
import { ServiceError } from '#common/errors.ts';
import { type RequestState, readJson, viewerAddress } from '#common/http.ts';
import { answerJson, bodyBytesMax } from '../answer.ts';
import { parseBody } from '../parse-body.ts';
import type { AccessClaims } from '../token/access-token.ts';
import { type AuthenticateDeps, authenticate } from '../token/authenticate.ts';
import { loginBody, logoutBody, refreshBody } from './contract.ts';
import { type LoginDeps, logIn } from './log-in.ts';
import { type LogoutDeps, logOut } from './log-out.ts';
import { type RefreshDeps, refresh } from './refresh.ts';

/**
 * `/api/v1/auth/login`, `/refresh`, `/logout` and `/validate`. Logging out with an access token
 * that is not good goes on with the refresh token alone.
 */
export function loginRoutes(
  router: Router<RequestState>,
  deps: LoginDeps & RefreshDeps & LogoutDeps & AuthenticateDeps,
): void {
  router.post('/api/v1/auth/login', async (context) => {
    const { email, password } = parseBody(loginBody, await readJson(context, bodyBytesMax));
    const request = { email, password, address: viewerAddress(context) };
    answerJson(context, 200, await logIn(deps, request));
  });
  router.post('/api/v1/auth/refresh', async (context) => {
    const body = parseBody(refreshBody, await readJson(context, bodyBytesMax));
    answerJson(context, 200, await refresh(deps, body.refresh_token));
  });
  router.post('/api/v1/auth/logout', async (context) => {
    const body = parseBody(logoutBody, await readJson(context, bodyBytesMax));
    const claims = await authenticate(deps, context).catch(noneIfInvalid);
    await logOut(deps, claims, body.refresh_token);
    answerJson(context, 200, { status: 'logged_out' });
  });
  router.get('/api/v1/auth/validate', async (context) => {
    const { sub, verified, acr, exp } = await authenticate(deps, context);
    answerJson(context, 200, { valid: true, sub, verified, acr, exp });
  });
}

function noneIfInvalid(error: unknown): AccessClaims | undefined {
  if (error instanceof ServiceError && error.code === 'invalid_token') return undefined;
  throw error;
}
