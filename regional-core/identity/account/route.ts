import type { Router } from '@koa/router';
import { type RequestState, readJson, viewerAddress } from '#common/http.ts';
import { answerJson, bodyBytesMax } from '../answer.ts';
import { parseBody } from '../parse-body.ts';
import { registerBody, verifyBody } from './contract.ts';
import { type RegisterDeps, register } from './register.ts';
import { type VerifyDeps, verify } from './verify.ts';

/**
 * `POST /api/v1/auth/register` and `/verify`. Registering is answered alike, 202, whether or not
 * the address has an account.
 */
export function accountRoutes(router: Router<RequestState>, deps: RegisterDeps & VerifyDeps): void {
  router.post('/api/v1/auth/register', async (context) => {
    const body = parseBody(registerBody, await readJson(context, bodyBytesMax));
    await register(deps, { ...body, address: viewerAddress(context) });
    answerJson(context, 202, { status: 'verification_sent' });
  });
  router.post('/api/v1/auth/verify', async (context) => {
    const { token } = parseBody(verifyBody, await readJson(context, bodyBytesMax));
    await verify(deps, token);
    answerJson(context, 200, { status: 'verified' });
  });
}
