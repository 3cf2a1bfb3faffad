import type { Router } from '@koa/router';
import { clearLoginCookie, loginToken } from '../cookie.ts';
import type { Portal } from '../portal.ts';

/** POST /logout: ends the login here and takes the cookie back; the same answer without a login. */
export function addLogout(router: Router, portal: Portal): void {
  router.post('/logout', async (context) => {
    const token = loginToken(context);
    if (token !== undefined) await portal.logins.end(token);
    clearLoginCookie(context);
    context.status = 204;
  });
}
