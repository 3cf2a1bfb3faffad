import type { View } from '../view.ts';
import { type EncodedSnapshot, encodeSnapshot } from './encoded-snapshot.ts';

interface Kept {
  readonly view: View;
  readonly encoded: EncodedSnapshot;
}

/** Sessions whose bytes are kept, twice where voters see more; at most 16 kB each. */
const keptMax = 2000;

/** Snapshots in bytes: each is encoded once for as long as what it shows stays the same. */
export class Snapshots {
  /** Oldest encoding first, as a Map keeps the order in which keys were set. */
  readonly #kept = new Map<string, Kept>();
  readonly #onEncode: () => void;

  constructor(onEncode: () => void) {
    this.#onEncode = onEncode;
  }

  /** The snapshot of a view; `cache_hit` is false in the one that was encoded for this call. */
  get(view: View): EncodedSnapshot {
    const key = `${view.known.session.session_id}/${view.counts === null ? 'hidden' : 'shown'}`;
    const kept = this.#kept.get(key);
    // `known` is another object after every change; state follows the clock.
    if (kept?.view.known === view.known && kept.view.state === view.state) return kept.encoded;
    const encoded = encodeSnapshot(view);
    this.#onEncode();
    this.#kept.delete(key);
    this.#kept.set(key, { view, encoded: encoded.kept });
    if (this.#kept.size > keptMax) this.#kept.delete(this.#kept.keys().next().value!);
    return encoded.first;
  }

  /** The snapshot for many at once: nobody's request caused it. */
  getShared(view: View): EncodedSnapshot {
    this.get(view);
    return this.get(view);
  }
}
