import { readFile } from 'node:fs/promises';
import { type Clock, SECOND_MS, sleep } from '#common/clock.ts';
import type { ConfigKey } from '#common/config.ts';
import { secretFileKey } from '#common/config.ts';
import { parseSigningKey, type SigningKey } from '#common/keys.ts';
import type { Log } from '#common/log.ts';

/** Where the key lies, and what lay there at the start. */
export interface ReceiptKeyFile {
  readonly path: string;
  readonly key: SigningKey;
}

/** Fails the start, like any secret, when the file holds no private Ed25519 key. */
export function receiptKeyFileKey(env: `VOTE_${string}`, doc: string): ConfigKey<ReceiptKeyFile> {
  const key = secretFileKey(env, doc, parseSigningKey);
  return { ...key, parse: (path) => ({ path, key: key.parse(path) }) };
}

/** The file is looked at this often: a mounted secret is changed under its name, unannounced. */
const lookMs = 2 * SECOND_MS;

/**
 * The key that signs receipts, read again while the process runs, so that a rotation needs no
 * restart. A file that is gone or garbled changes nothing: the last good key goes on signing, which
 * the log and the metrics say.
 */
export class ReceiptKey {
  readonly #path: string;
  readonly #clock: Clock;
  readonly #log: Log;
  readonly #closing = new AbortController();
  readonly #watching: Promise<void>;
  #current: SigningKey;
  #isReadable = true;

  constructor(file: ReceiptKeyFile, options: { readonly clock: Clock; readonly log: Log }) {
    this.#path = file.path;
    this.#current = file.key;
    this.#clock = options.clock;
    this.#log = options.log;
    this.#watching = this.#watch();
  }

  get current(): SigningKey {
    return this.#current;
  }

  /** False while the file is gone or holds no key. */
  get isReadable(): boolean {
    return this.#isReadable;
  }

  async close(): Promise<void> {
    this.#closing.abort();
    await this.#watching;
  }

  async #watch(): Promise<void> {
    const { signal } = this.#closing;
    while (!signal.aborted) {
      await sleep(lookMs, signal, this.#clock);
      if (!signal.aborted) await this.#look();
    }
  }

  async #look(): Promise<void> {
    try {
      const next = parseSigningKey((await readFile(this.#path, 'utf8')).trim());
      if (next.kid !== this.#current.kid) {
        this.#log.info({ kid: next.kid, before: this.#current.kid }, 'receipts have a new key');
        this.#current = next;
      }
      this.#isReadable = true;
    } catch (error) {
      if (this.#isReadable) {
        this.#log.error({ err: error }, 'the receipt key cannot be read; the last one goes on');
      }
      this.#isReadable = false;
    }
  }
}
