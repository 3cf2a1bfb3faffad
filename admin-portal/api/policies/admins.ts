import { ServiceError } from '#common/errors.ts';
import type { Admin } from '../logins.ts';

/** Who may make further admins. Throws `forbidden`. */
export function manageAdmins(admin: Admin): void {
  if (admin.role !== 'admin') throw new ServiceError('forbidden');
}
