import { ServiceError } from '#common/errors.ts';
import type { Admin } from '../logins.ts';

/** Who may create, open and close sessions and release their results. Throws `forbidden`. */
export function manageSessions(admin: Admin): void {
  if (admin.role !== 'admin') throw new ServiceError('forbidden');
}
