import type { Context } from 'koa';
import type { Clock } from '#common/clock.ts';
import type { Copies } from '#common/copies.ts';
import { ServiceError } from '#common/errors.ts';
import type { Log } from '#common/log.ts';
import type { Pool } from '#common/postgres.ts';
import type { Attempts } from './attempts.ts';
import { loginToken } from './cookie.ts';
import type { Admin, Logins } from './logins.ts';
import type { PortalMetrics } from './metrics.ts';
import type { PasswordHasher } from './password.ts';

/** What every route works with. */
export interface Portal {
  readonly pool: Pool;
  /** Every command goes through here: it is answered when the copies have it. */
  readonly copies: Copies;
  /** Every log that there is to be; declared before a session is made. */
  readonly logs: readonly string[];
  readonly logins: Logins;
  readonly attempts: Attempts;
  readonly passwords: PasswordHasher;
  readonly metrics: PortalMetrics;
  readonly log: Log;
  readonly clock: Clock;
}

/** The admin who sends this request. Throws `invalid_token` when nobody is logged in. */
export async function authenticate(portal: Portal, context: Context): Promise<Admin> {
  const token = loginToken(context);
  const admin = token === undefined ? undefined : await portal.logins.find(token);
  if (admin === undefined) throw new ServiceError('invalid_token', { message: 'Log in first.' });
  return admin;
}
