import { createHash } from 'node:crypto';
import { MINUTE_MS, SECOND_MS } from '#common/clock.ts';
import { ServiceError } from '#common/errors.ts';
import type { Redis } from '#common/redis.ts';

/**
 * Failed logins are counted per 15 minutes, three ways: one guesser at one account, one guesser at
 * many, many guessers at one. The last is wide, because whoever fills it locks the admin out.
 * An attempt is counted before the password is looked at and taken back when it was right, so that
 * guesses sent at once do not slip through together.
 */
const windowMs = 15 * MINUTE_MS;
const attemptsMax = { pair: 10, address: 50, account: 200 } as const;
type Scope = keyof typeof attemptsMax;

/**
 * Counted in Redis, for all processes of the portal together. Rejects while Redis is away: nobody
 * logs in then. `email` is in lower case, as the login's contract makes it.
 */
export class Attempts {
  readonly #redis: Redis;
  readonly #prefix: string;

  constructor(redis: Redis, prefix: string) {
    this.#redis = redis;
    this.#prefix = prefix;
  }

  /** Counts an attempt. Throws `rate_limit_exceeded` when there were too many. */
  async count(email: string, address: string): Promise<void> {
    const counted = await Promise.all(
      this.#keys(email, address).map(async ([scope, key]) => {
        const attempts = await this.#add(key, 1);
        if (attempts <= attemptsMax[scope]) return 0;
        return Math.max(1, await this.#redis.pttl(key));
      }),
    );
    const waitMs = Math.max(...counted);
    if (waitMs === 0) return;
    throw new ServiceError('rate_limit_exceeded', { retryAfterS: Math.ceil(waitMs / SECOND_MS) });
  }

  /** The password was right: this attempt was none. */
  async takeBack(email: string, address: string): Promise<void> {
    await Promise.all(this.#keys(email, address).map(([, key]) => this.#add(key, -1)));
  }

  /**
   * SET … NX starts a window with its end; INCRBY keeps that end. In one transaction: a window that
   * ends between them would leave a count without an end, and a lock-out for ever.
   */
  async #add(key: string, attempts: number): Promise<number> {
    const started = this.#redis.multi().set(key, 0, 'PX', windowMs, 'NX');
    const [, added] = (await started.incrby(key, attempts).exec())!;
    const [error, count] = added!;
    if (error) throw error;
    return count as number;
  }

  /** Hashed: no address and no e-mail stands in Redis. */
  #keys(email: string, address: string): [Scope, string][] {
    const named: [Scope, string][] = [
      ['pair', `${address}\n${email}`],
      ['address', address],
      ['account', email],
    ];
    return named.map(([scope, text]) => {
      const digest = createHash('sha256').update(text).digest('base64url');
      return [scope, `${this.#prefix}rate:admin-login:${scope}:${digest}`];
    });
  }
}
