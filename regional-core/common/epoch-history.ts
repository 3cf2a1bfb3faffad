/**
 * Under which leader epoch each stretch of a partition was written, as far as it was read. Asked
 * with the epoch of the record before the one that is fetched, a broker can tell that its log has
 * another past than ours: after an unclean election records are gone and others stand at their
 * offsets, and by offsets alone nobody would notice.
 */
export class EpochHistory {
  /** Ascending: from this offset on, records of this epoch. */
  #stretches: { readonly from: number; readonly epoch: number }[] = [];
  #readTo = 0;

  /** Records from `first` up to but not including `next` were written under `epoch`. */
  note(first: number, next: number, epoch: number): void {
    // Behind a gap nothing is known of what lies in it. Read once more, from further back: what was
    // known from there on is told anew.
    const isBehindGap = first > this.#readTo;
    this.#stretches = isBehindGap ? [] : this.#stretches.filter(({ from }) => from < first);
    if (this.#stretches.at(-1)?.epoch !== epoch) this.#stretches.push({ from: first, epoch });
    if (this.#stretches.length > stretchesMax) this.#stretches.shift();
    this.#readTo = next;
  }

  /** The epoch of the record before `offset`; −1 when it was not read. */
  before(offset: number): number {
    if (offset > this.#readTo) return -1;
    return this.#stretches.findLast(({ from }) => from < offset)?.epoch ?? -1;
  }
}

/** One a change of leader: a rolling restart each hour for two days. */
const stretchesMax = 150;
