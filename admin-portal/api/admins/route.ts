import type { Router } from '@koa/router';
import { ServiceError } from '#common/errors.ts';
import { readJson } from '#common/http.ts';
import { parseForm } from '../form.ts';
import { manageAdmins } from '../policies/admins.ts';
import { authenticate, type Portal } from '../portal.ts';
import { findAdmin } from '../sql/find-admin.ts';
import { insertAdmin } from '../sql/insert-admin.ts';
import { unknownWhenLost } from '../store-trouble.ts';
import { newAdminForm } from './contract.ts';

const bodyBytesMax = 4 * 1024;

/** POST /admins: a further admin. */
export function addAdmins(router: Router, portal: Portal): void {
  router.post('/admins', async (context) => {
    const admin = await authenticate(portal, context);
    const { email, password } = parseForm(newAdminForm, await readJson(context, bodyBytesMax));
    manageAdmins(admin);
    const passwordHash = await portal.passwords.hash(password);
    const { made, standing } = await portal.copies.write(async (db) => {
      const row = await unknownWhenLost(
        insertAdmin(db, { email, passwordHash, madeBy: admin.adminId }),
      );
      if (row !== undefined) {
        portal.log.info({ made: row.admin_id, admin_id: admin.adminId }, 'admin made');
      }
      return { made: row !== undefined, standing: row ?? (await findAdmin(db, email)) };
    });
    // Asked again after a lost answer; with another password it is somebody else's wish.
    if (!made && !(await portal.passwords.verify(password, standing?.password_hash))) {
      throw new ServiceError('already_taken', { message: 'This address is an admin already.' });
    }
    context.status = 201;
    context.body = { admin_id: standing!.admin_id, email };
  });
}
