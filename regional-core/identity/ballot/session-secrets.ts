import { createSecretKey, type KeyObject, randomBytes } from 'node:crypto';
import { unwrapSecret, wrapSecret } from './wrapping.ts';

/**
 * Stores what is offered if nothing stands, and gives what stands. Rejects while the store, or a
 * copy that must have it, is away, and for a session that is to have no secret any more.
 */
export type KeepSecret = (sessionId: string, offered: Buffer) => Promise<Buffer>;

const secretBytes = 32;

/**
 * The secrets that make vote ids, one a session, read once and kept: a ballot needs no database
 * after the first one of its session. Asked for known sessions only, which bounds the cache.
 */
export class SessionSecrets {
  readonly #wrappingKey: Buffer;
  readonly #keep: KeepSecret;
  readonly #byId = new Map<string, KeyObject>();
  readonly #reading = new Map<string, Promise<KeyObject>>();

  constructor(wrappingKey: Buffer, keep: KeepSecret) {
    this.#wrappingKey = wrappingKey;
    this.#keep = keep;
  }

  /** Throws when the secret is not known here and Postgres is away. */
  async get(sessionId: string): Promise<KeyObject> {
    const known = this.#byId.get(sessionId);
    if (known !== undefined) return known;
    const reading = this.#reading.get(sessionId) ?? this.#read(sessionId);
    this.#reading.set(sessionId, reading);
    try {
      const secret = await reading;
      this.#byId.set(sessionId, secret);
      return secret;
    } finally {
      this.#reading.delete(sessionId);
    }
  }

  /** For a session whose result is final: no vote id of it is made here again. */
  forget(sessionId: string): void {
    this.#byId.delete(sessionId);
  }

  async #read(sessionId: string): Promise<KeyObject> {
    const offered = wrapSecret(this.#wrappingKey, sessionId, randomBytes(secretBytes));
    const standing = await this.#keep(sessionId, offered);
    return createSecretKey(unwrapSecret(this.#wrappingKey, sessionId, standing));
  }
}
