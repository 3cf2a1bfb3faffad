/** A bound for a statement, and for the label values of a metric. */
const sessionsAtOnceMax = 50;

/** Fifty sessions at a time; where there are more, those that come next in order go first. */
export class Turns {
  #last = '';

  /** The sessions whose turn it is, of all that wait now. @param sorted their ids, in order */
  next(sorted: readonly string[]): string[] {
    const after = sorted.findIndex((id) => id > this.#last);
    const from = after === -1 ? 0 : after;
    const taken = [...sorted.slice(from), ...sorted.slice(0, from)].slice(0, sessionsAtOnceMax);
    this.#last = taken.at(-1) ?? '';
    return taken;
  }
}
