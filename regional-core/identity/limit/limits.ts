import { HOUR_MS, MINUTE_MS } from '#common/clock.ts';
import type { Limit } from './sliding-window.ts';

/**
 * How often a client may fail. A whole mobile network may share one address, so limits by address
 * are wide, and what succeeds is given back. Rates of mere requests are the edge's business.
 */
export const limits = {
  /** Wrong passwords for one account. Wide enough that a stranger hardly locks its owner out. */
  loginAccount: { name: 'login-account', max: 50, windowMs: 15 * MINUTE_MS },
  loginAddress: { name: 'login-address', max: 100, windowMs: MINUTE_MS },
  /** Mails to one address: nobody's mailbox is flooded through us. */
  registerEmail: { name: 'register-email', max: 5, windowMs: HOUR_MS },
  registerAddress: { name: 'register-address', max: 60, windowMs: MINUTE_MS },
  /** Wrong voting codes; right ones always pass. */
  codeAddress: { name: 'code-address', max: 15, windowMs: MINUTE_MS },
} as const satisfies Record<string, Limit>;
