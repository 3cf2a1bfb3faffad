/** Somebody who waits. */
interface Waiting {
  /** Monotonic ms at which it came. */
  readonly enqueuedMs: number;
}

interface Lane<T> {
  held: number;
  readonly waiting: T[];
}

/**
 * Places in a queue, a lane for each session. Lanes are served in turn, so that a session's crowd
 * delays itself; and once half of all places are taken, no lane gets more than its fair share of
 * them. With one session there is one lane, and all places are its own.
 */
export class Lanes<T extends Waiting> {
  readonly #placesMax: number;
  readonly #lanes = new Map<string, Lane<T>>();
  #held = 0;
  #waiting = 0;

  constructor(placesMax: number) {
    this.#placesMax = placesMax;
  }

  /** Places taken, waiting or not. */
  get held(): number {
    return this.#held;
  }

  get waiting(): number {
    return this.#waiting;
  }

  /** Takes a place; false when there is none, or when the lane has its share. */
  reserve(name: string): boolean {
    if (this.#held >= this.#placesMax) return false;
    const lane = this.#lanes.get(name) ?? { held: 0, waiting: [] };
    const lanes = this.#lanes.size + (lane.held === 0 ? 1 : 0);
    if (this.#held >= this.#placesMax / 2 && lane.held >= this.#placesMax / lanes) return false;
    lane.held++;
    this.#held++;
    this.#lanes.set(name, lane);
    return true;
  }

  /** Gives a place back. */
  release(name: string): void {
    const lane = this.#lanes.get(name);
    if (lane === undefined) return;
    lane.held--;
    this.#held--;
    if (lane.held === 0) this.#lanes.delete(name);
  }

  /** Lines up for a place that was taken. */
  push(name: string, one: T): void {
    this.#lanes.get(name)!.waiting.push(one);
    this.#waiting++;
  }

  /** The next ones, at most `max`: as many from each lane as there are, the first come first. */
  take(max: number): T[] {
    const taken: T[] = [];
    while (taken.length < max && this.#waiting > 0) {
      const busy = [...this.#lanes.values()].filter(({ waiting }) => waiting.length > 0);
      const each = Math.ceil((max - taken.length) / busy.length);
      for (const { waiting } of busy) {
        const next = waiting.splice(0, Math.min(each, max - taken.length));
        this.#waiting -= next.length;
        taken.push(...next);
      }
    }
    return taken;
  }

  /** Takes out those that came at `latestMs` or before. */
  takeOlder(latestMs: number): T[] {
    const older: T[] = [];
    for (const { waiting } of this.#lanes.values()) {
      const fresh = waiting.findIndex(({ enqueuedMs }) => enqueuedMs > latestMs);
      older.push(...waiting.splice(0, fresh < 0 ? waiting.length : fresh));
    }
    this.#waiting -= older.length;
    return older;
  }

  /** When the one that waits longest came; undefined when nobody waits. */
  oldestMs(): number | undefined {
    let oldestMs: number | undefined;
    for (const { waiting } of this.#lanes.values()) {
      const first = waiting[0]?.enqueuedMs;
      if (first !== undefined && !(first >= (oldestMs ?? Infinity))) oldestMs = first;
    }
    return oldestMs;
  }
}
