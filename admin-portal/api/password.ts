import { argon2, randomBytes, timingSafeEqual } from 'node:crypto';
import { promisify } from 'node:util';
import { jitteredRetryS, ServiceError } from '#common/errors.ts';

/**
 * Passwords are kept as argon2id in the PHC string format:
 *
 *   $argon2id$v=19$m=19456,t=2,p=1$salt$hash        salt 16 bytes, hash 32, base64 without padding
 *
 * 19 MiB and two passes are OWASP's minimum and take 37 ms, so hashing stands behind a bulkhead:
 * `parallelMax` at a time, `waitingMax` in line, the rest is refused before it costs anything.
 */
const current = { memory: 19_456, passes: 2, parallelism: 1 } as const;
const saltBytes = 16;
const hashBytes = 32;
const parallelMax = 2;
const waitingMax = 16;
const argon2Async = promisify(argon2);
const phcPattern = /^\$argon2id\$v=19\$m=(\d{1,7}),t=(\d{1,2}),p=(\d)\$([\w+/]{22})\$([\w+/]{43})$/;

export class PasswordHasher {
  readonly #random: () => number;
  #running = 0;
  readonly #waiting: (() => void)[] = [];

  /** `random` spreads `Retry-After`; salts come from the system. */
  constructor(random: () => number) {
    this.#random = random;
  }

  /** The string to keep. Throws `overloaded` when the line is full. */
  async hash(password: string): Promise<string> {
    const salt = randomBytes(saltBytes);
    const hash = await this.#derive(password, salt, current);
    const { memory, passes, parallelism } = current;
    return `$argon2id$v=19$m=${memory},t=${passes},p=${parallelism}$${plain(salt)}$${plain(hash)}`;
  }

  /**
   * True when the password is the one kept. With `kept` undefined it takes as long and says false:
   * the answer must not tell whether there is such an account. Throws `overloaded`.
   */
  async verify(password: string, kept: string | undefined): Promise<boolean> {
    if (kept === undefined) {
      await this.#derive(password, Buffer.alloc(saltBytes), current);
      return false;
    }
    const [, m, t, p, salt, hash] = phcPattern.exec(kept) ?? [];
    if (!salt || !hash) throw new Error('a password hash in the database is not argon2id PHC');
    const cost = { memory: Number(m), passes: Number(t), parallelism: Number(p) };
    const derived = await this.#derive(password, Buffer.from(salt, 'base64'), cost);
    return timingSafeEqual(derived, Buffer.from(hash, 'base64'));
  }

  async #derive(message: string, nonce: Buffer, cost: Cost): Promise<Buffer> {
    await this.#enter();
    try {
      return await argon2Async('argon2id', { message, nonce, tagLength: hashBytes, ...cost });
    } finally {
      this.#leave();
    }
  }

  async #enter(): Promise<void> {
    if (this.#running < parallelMax) {
      this.#running++;
      return;
    }
    if (this.#waiting.length >= waitingMax) {
      throw new ServiceError('overloaded', { retryAfterS: jitteredRetryS(1, this.#random) });
    }
    // Whoever leaves hands its place over, so that nobody who comes now gets before.
    await new Promise<void>((resolve) => this.#waiting.push(resolve));
  }

  #leave(): void {
    const next = this.#waiting.shift();
    if (next === undefined) this.#running--;
    else next();
  }
}

interface Cost {
  /** KiB */
  readonly memory: number;
  readonly passes: number;
  readonly parallelism: number;
}

function plain(bytes: Buffer): string {
  return bytes.toString('base64').replace(/=+$/, '');
}
