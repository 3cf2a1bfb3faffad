import { type Clock, SECOND_MS, sleep } from '#common/clock.ts';
import type { PublicKeys } from '#common/keys.ts';

/** A key on its way comes this soon after the first record that names it, or the record is bad. */
const waitMsMax = SECOND_MS;
const pollMs = 100;
/** Waiting again only this much later: forged records must not hold up good ones. */
const restMs = 10 * SECOND_MS;

interface Parts {
  /** Keys as the topic `sessions` tells them now. */
  readonly told: () => PublicKeys;
  /** Keys as the store has them. */
  readonly read: () => Promise<PublicKeys>;
  readonly clock: Clock;
}

/**
 * The public keys of ballots that this process has ever seen: told by the topic `sessions`, read
 * from the store when a record names one that was not told yet. A key is never forgotten, so a
 * database that lost its newest rows takes nothing back.
 */
export class BallotKeys {
  readonly #parts: Parts;
  readonly #known = new Map<string, ReturnType<PublicKeys['get']>>();
  #waitedAtMs = Number.NEGATIVE_INFINITY;

  constructor(parts: Parts) {
    this.#parts = parts;
  }

  get(kid: string): ReturnType<PublicKeys['get']> {
    return this.#known.get(kid);
  }

  /** Looks for the keys named, and waits a bounded time for those that nobody knows yet. */
  async learn(kids: ReadonlySet<string>): Promise<void> {
    const { told, clock } = this.#parts;
    this.#keep(told());
    if (this.#knows(kids)) return;
    await this.#read();
    const startedMs = clock.monotonicMs();
    if (startedMs - this.#waitedAtMs < restMs) return;
    while (!this.#knows(kids) && clock.monotonicMs() - startedMs < waitMsMax) {
      this.#waitedAtMs = startedMs;
      await sleep(pollMs, undefined, clock);
      this.#keep(told());
      await this.#read();
    }
  }

  async #read(): Promise<void> {
    this.#keep(await this.#parts.read());
  }

  #keep(keys: PublicKeys): void {
    for (const [kid, key] of keys) this.#known.set(kid, key);
  }

  #knows(kids: ReadonlySet<string>): boolean {
    return [...kids].every((kid) => this.#known.has(kid));
  }
}
