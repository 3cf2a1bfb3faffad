import { type Bulkhead, createBulkhead } from '#common/password/bulkhead.ts';
import { hashPassword, isPasswordOf, nobodysHash } from '#common/password/password-hash.ts';

const parallelMax = 2;
const waitingMax = 16;

/** Admins' passwords: hashing takes 37 ms and 19 MiB, so it stands behind a bulkhead. */
export class PasswordHasher {
  readonly #bulkhead: Bulkhead;

  /** `random` spreads `Retry-After`; salts come from the system. */
  constructor(random: () => number) {
    this.#bulkhead = createBulkhead(parallelMax, waitingMax, random);
  }

  /** The string to keep. Throws `overloaded` when the line is full. */
  hash(password: string): Promise<string> {
    return this.#bulkhead.run(() => hashPassword(password));
  }

  /**
   * True when the password is the one kept. With `kept` undefined it takes as long and says false:
   * the answer must not tell whether there is such an account. Throws `overloaded`.
   */
  async verify(password: string, kept: string | undefined): Promise<boolean> {
    const right = await this.#bulkhead.run(() => isPasswordOf(kept ?? nobodysHash, password));
    return right && kept !== undefined;
  }
}
