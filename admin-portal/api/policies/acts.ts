import { ServiceError } from '#common/errors.ts';
import type { Admin } from '../logins.ts';

/** Who may register a key, propose an act and be one of the two who sign it. Throws `forbidden`. */
export function decideTogether(admin: Admin): void {
  if (admin.role !== 'admin') throw new ServiceError('forbidden');
}
