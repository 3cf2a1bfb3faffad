import { createHash, randomBytes } from 'node:crypto';
import { type Clock, HOUR_MS, MINUTE_MS } from '#common/clock.ts';
import type { Redis } from '#common/redis.ts';

/** Who is logged in to the portal. */
export interface Admin {
  readonly adminId: string;
  readonly email: string;
  readonly role: 'admin';
}

interface KeptLogin extends Admin {
  /** When it ends however busy, ms since the epoch. */
  readonly endsAtMs: number;
}

const loginMsMax = 8 * HOUR_MS;
const idleMsMax = 30 * MINUTE_MS;

/**
 * Logins of admins: an opaque token of 32 random bytes in the browser, its SHA-256 in Redis with
 * who it is. Whoever reads Redis cannot log in with what stands there. Redis may lose it all: then
 * admins log in again. Redis away rejects with its error.
 */
export class Logins {
  readonly #redis: Redis;
  readonly #prefix: string;
  readonly #clock: Clock;

  constructor(redis: Redis, prefix: string, clock: Clock) {
    this.#redis = redis;
    this.#prefix = prefix;
    this.#clock = clock;
  }

  /** Starts a login and gives its token. */
  async start(admin: Admin): Promise<string> {
    const token = randomBytes(32).toString('base64url');
    const kept: KeptLogin = { ...admin, endsAtMs: this.#clock.now() + loginMsMax };
    await this.#redis.set(this.#key(token), JSON.stringify(kept), 'PX', idleMsMax);
    return token;
  }

  /** Who holds this token; undefined when it has ended. Being asked is being active. */
  async find(token: string): Promise<Admin | undefined> {
    const text = await this.#redis.getex(this.#key(token), 'PX', idleMsMax);
    if (text === null) return undefined;
    const { endsAtMs, ...admin } = JSON.parse(text) as KeptLogin;
    if (this.#clock.now() < endsAtMs) return admin;
    await this.end(token);
    return undefined;
  }

  async end(token: string): Promise<void> {
    await this.#redis.del(this.#key(token));
  }

  #key(token: string): string {
    return `${this.#prefix}admin-login:${createHash('sha256').update(token).digest('base64url')}`;
  }
}
