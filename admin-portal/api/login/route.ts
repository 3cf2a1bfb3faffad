import type { Router } from '@koa/router';
import { ServiceError } from '#common/errors.ts';
import { readJson, viewerAddress } from '#common/http.ts';
import { setLoginCookie } from '../cookie.ts';
import { parseForm } from '../form.ts';
import type { Portal } from '../portal.ts';
import { findAdmin } from '../sql/find-admin.ts';
import { loginForm } from './contract.ts';

const bodyBytesMax = 4 * 1024;

/** POST /login: e-mail and password for the login's cookie. */
export function addLogin(router: Router, portal: Portal): void {
  router.post('/login', async (context) => {
    const { email, password } = parseForm(loginForm, await readJson(context, bodyBytesMax));
    const address = viewerAddress(context);
    await portal.attempts.count(email, address);
    const row = await findAdmin(portal.pool, email);
    if (!(await portal.passwords.verify(password, row?.password_hash)) || row === undefined) {
      portal.metrics.logins.inc({ result: 'refused' });
      throw new ServiceError('invalid_credentials');
    }
    const admin = { adminId: row.admin_id, email: row.email, role: row.role };
    const token = await portal.logins.start(admin);
    await portal.attempts.takeBack(email, address);
    portal.metrics.logins.inc({ result: 'ok' });
    portal.log.info({ admin_id: admin.adminId }, 'admin logged in');
    setLoginCookie(context, token);
    context.body = { email: admin.email, role: admin.role };
  });
}
